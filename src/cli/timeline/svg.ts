import { printable } from '../flight/line.ts'
import type { Boot, TimelineEvent } from './events.ts'

const WIDTH = 960
const LEFT = 90
const BAR = 320
const LINE = 20
const TOP = 48

const FILLS: Readonly<Record<TimelineEvent['kind'], string>> = {
  lease: '#0891b2',
  contact: '#0891b2',
  document: '#16a34a',
  failure: '#dc2626',
  silence: '#d1d5db',
}

/** The same drawing as a picture that needs nothing but a viewer. @param title  the server's name */
export function bootSvg(title: string, { began, events }: Boot): string {
  const end = Math.max(1, ...events.map(({ at, took }) => at + took))
  const rows = events.map((event, i) => row(event, TOP + i * LINE, end))
  const height = TOP + events.length * LINE + 16
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    `<text x="16" y="28" font-size="16">${escaped(`${title}, ${began}`)}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n')
}

function row({ at, took, kind, text }: TimelineEvent, y: number, end: number): string {
  const x = LEFT + (at / end) * BAR
  const width = Math.max(3, (took / end) * BAR)
  return [
    `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end" fill="#6b7280">${(at / 1000).toFixed(3)} s</text>`,
    `<rect x="${x.toFixed(1)}" y="${y - 6}" width="${width.toFixed(1)}" height="12" fill="${FILLS[kind]}"/>`,
    `<text x="${LEFT + BAR + 24}" y="${y + 4}">${escaped(text)}</text>`,
  ].join('')
}

function escaped(text: string): string {
  return printable(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
