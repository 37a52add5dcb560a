#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --max-semi-space-size=16 --expose-gc --heap-growing-percent=200 --no-allocation-site-pretenuring
import './node-check.js'

await import('./main.ts')
