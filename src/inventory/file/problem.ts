/** Where in a document: field names and list positions from its top. */
export type Path = readonly (string | number)[]

/** Notes what is wrong with the value at a path, and what would be right. */
export type Report = (path: Path, message: string) => void

export interface Problem {
  readonly file: string
  /** Both count from 1. */
  readonly line: number
  readonly column: number
  /** `servers[0].networks[0].fixed_ip`, or empty text for the document as a whole. */
  readonly field: string
  readonly message: string
}

/** `lab.yaml:12:5: servers[0].networks[0].fixed_ip: 10.0.1.5 is outside ...`: a form that editors jump to. */
export function formatProblem({ file, line, column, field, message }: Problem): string {
  return `${file}:${line}:${column}: ${field === '' ? '' : `${field}: `}${message}`
}

export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    if (!/^[\w:]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}
