/** nginx, as pass-through or with the rewrite in Lua: one worker, kept connections both ways. @module */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const MODULES = '/usr/lib/nginx/modules'
const START_MS = 5_000

/** Whether this machine has nginx with the Lua module (Debian's `nginx libnginx-mod-http-lua lua-cjson`). */
export function hasNginx(): boolean {
  return existsSync('/usr/sbin/nginx') && existsSync(join(MODULES, 'ngx_http_lua_module.so'))
}

/** Starts nginx in a folder of its own. */
export async function startNginx(folder: string, bankPort: number, rewrite: boolean) {
  const port = await freePort()
  const home = join(folder, rewrite ? 'nginx-lua' : 'nginx')
  mkdirSync(home, { recursive: true })
  const file = join(home, 'nginx.conf')
  writeFileSync(file, configuration(home, { port, bankPort, rewrite }))
  const child = spawn('/usr/sbin/nginx', ['-p', home, '-c', file, '-e', join(home, 'error.log')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const until = performance.now() + START_MS
  while (!(await accepts(port))) {
    if (performance.now() > until || child.exitCode !== null)
      throw new Error(`nginx does not listen: ${readFileSync(join(home, 'error.log'), 'utf8')}`)
    await sleep(20)
  }
  return { child, port, pids: [child.pid ?? 0, ...childrenOf(child.pid ?? 0)] }
}

interface Places {
  readonly port: number
  readonly bankPort: number
  readonly rewrite: boolean
}

function configuration(home: string, { port, bankPort, rewrite }: Places): string {
  const lua = `
  lua_package_path '${import.meta.dirname}/?.lua;/usr/share/lua/5.1/?.lua;;';
  init_by_lua_block { rewrite = require 'rewrite' }`
  const stages = `
      access_by_lua_block { rewrite.request() }
      header_filter_by_lua_block { ngx.header.content_length = nil }
      body_filter_by_lua_block { rewrite.answer() }`
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `${rewrite ? `load_module ${MODULES}/ndk_http_module.so;\nload_module ${MODULES}/ngx_http_lua_module.so;` : ''}
daemon off;
worker_processes 1;
pid ${home}/pid;
user root;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${home}/${name};`).join(' ')}
  client_body_buffer_size 16m;
  client_max_body_size 16m;
  keepalive_requests 10000000;${rewrite ? lua : ''}
  upstream bank { server 127.0.0.1:${bankPort}; keepalive 64; keepalive_requests 10000000; }
  server {
    listen 127.0.0.1:${port};
    location /stream/ {
      client_max_body_size 0;
      proxy_request_buffering off;
      proxy_pass http://bank;
      proxy_http_version 1.1;
      proxy_set_header Connection '';
    }
    location /harbour-bank/ {
      proxy_pass http://bank/;
      proxy_http_version 1.1;
      proxy_set_header Connection '';${rewrite ? stages : ''}
    }
  }
}
`
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
    socket.once('connect', () => socket.destroy())
  })
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return (
          readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === `${pid}`
        )
      } catch {
        return false // It ended between the listing and the reading.
      }
    })
}
