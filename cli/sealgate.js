#!/usr/bin/env -S node --max-semi-space-size=8 --expose-gc
import './node-check.js'

await import('./main.ts')
