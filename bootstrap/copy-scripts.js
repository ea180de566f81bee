import { cpSync, globSync } from 'node:fs'

// The compiler leaves the shell scripts that lie between the sources behind; this takes them to `dist/`.

for (const script of globSync('src/**/*.sh')) cpSync(script, script.replace(/^src/, 'dist'))
