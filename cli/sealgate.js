#!/usr/bin/env -S node --max-semi-space-size=16
import './node-check.js'

await import('./main.ts')
