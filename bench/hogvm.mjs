// Times programs on PostHog's TypeScript machine, npm's `@posthog/hogvm`. Reads JSON lines {bytecode, globals, seconds}
// and answers each with one line {result, microseconds}: the result as it prints, and the time of one run.
//
// node hogvm.mjs FOLDER, where FOLDER holds node_modules.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'
import crypto from 'node:crypto'

const require = createRequire(resolve(process.argv[2], 'here.js'))
const vm = require('@posthog/hogvm')
// Compiled once per pattern, so that the machine is not charged for an engine that is not its own.
const patterns = new Map()
function pattern(source) {
    if (!patterns.has(source)) {
        const ignoreCase = source.startsWith('(?i)')
        patterns.set(source, ignoreCase ? new RegExp(source.slice(4), 'iu') : new RegExp(source, 'u'))
    }
    return patterns.get(source)
}
const external = { crypto, regex: { match: (source, text) => pattern(source).test(text) } }

function run(bytecode, globals) {
    const answer = vm.exec(bytecode, { globals, external, timeout: 60_000 })
    if (answer.error) {
        throw answer.error
    }
    return answer.result ?? null
}

// As many runs as take the time asked for; the count doubles until then.
function time(bytecode, globals, seconds) {
    for (let count = 1; ; count *= 2) {
        const began = process.hrtime.bigint()
        for (let i = 0; i < count; i++) {
            run(bytecode, globals)
        }
        const nanoseconds = Number(process.hrtime.bigint() - began)
        if (nanoseconds >= seconds * 1e9) {
            return nanoseconds / 1e3 / count
        }
    }
}

for await (const line of createInterface({ input: process.stdin })) {
    const { bytecode, globals, seconds } = JSON.parse(line)
    const result = vm.printHogValue(run(bytecode, globals))
    const microseconds = time(bytecode, globals, seconds)
    process.stdout.write(JSON.stringify({ result, microseconds }) + '\n')
}
