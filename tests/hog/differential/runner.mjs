// Runs programs on PostHog's TypeScript machine. Reads JSON lines {bytecode, globals, repaired} and answers each with
// one line {prints, result, error}: what was printed, the result as it prints, and the message of the failure or null.
//
// node runner.mjs FOLDER, where FOLDER holds node_modules.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'
import crypto from 'node:crypto'

const require = createRequire(resolve(process.argv[2], 'here.js'))
const vm = require('@posthog/hogvm')

function loadRegExp() {
    try {
        return require('re2')
    } catch {
        // Good enough for what the tests generate: patterns on which both agree, with flags only at the start.
        return function (pattern, flags) {
            const options = /^\(\?([is]+)\)/.exec(pattern)
            return options
                ? new RegExp(pattern.slice(options[0].length), flags + options[1].replace(/(.)(?=.*\1)/g, ''))
                : new RegExp(pattern, flags)
        }
    }
}
const RE2 = loadRegExp()
const regex = {
    match: (pattern, text) => new RE2(pattern, 'u').test(text),
    extract: (pattern, text) => {
        const found = new RE2(pattern, 'u').exec(text)
        return found === null ? '' : (found[1] ?? (found.length > 1 ? '' : found[0]))
    },
}

// Two defects of the machine hide everything behind them, so they can be put right from outside, through the state that
// an execution may start from: a captured variable is remembered by its place on the stack also when that place is given
// to another one, and the handler of a `try` stays when its function returns.
class Captures extends Array {
    push(capture) {
        const { location } = capture
        let value = capture.value
        let left = false
        Object.defineProperties(capture, {
            // A variable that has left the stack is at no place any more.
            location: { get: () => (left ? Infinity : location), enumerable: true },
            value: {
                get: () => value,
                set: (given) => {
                    value = given
                    left = true
                },
                enumerable: true,
            },
        })
        return super.push(capture)
    }
}
class Calls extends Array {
    pop() {
        const call = super.pop()
        while (Calls.handlers.length > 0 && Calls.handlers.at(-1).callStackLen > this.length) {
            Calls.handlers.pop()
        }
        return call
    }
}

function start(bytecode, repaired) {
    if (!repaired) {
        return bytecode
    }
    Calls.handlers = []
    return {
        bytecodes: { root: { bytecode } },
        stack: [],
        upvalues: new Captures(),
        callStack: new Calls(),
        throwStack: Calls.handlers,
        declaredFunctions: {},
        ops: 0,
        asyncSteps: 0,
        syncDuration: 0,
        maxMemUsed: 0,
    }
}

const write = console.log
function run({ bytecode, globals, repaired }) {
    const prints = []
    console.log = (...pieces) => prints.push(pieces.join(' '))
    try {
        const options = { globals: globals ?? {}, external: { regex, crypto }, timeout: 2000 }
        const answer = vm.exec(start(bytecode, repaired), options)
        if (answer.error || !answer.finished) {
            return { prints, result: null, error: String(answer.error?.message ?? 'it stopped') }
        }
        return { prints, result: vm.printHogValue(answer.result ?? null), error: null }
    } catch (error) {
        return { prints, result: null, error: String(error.message) }
    } finally {
        console.log = write
    }
}

for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(run(JSON.parse(line))) + '\n')
}
