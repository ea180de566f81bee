import type { Table } from './table.ts'

/** One benchmark: builds what it measures, measures it, takes it away again. */
export interface Benchmark {
  readonly title: string
  /** @param say  remarks on progress, for whoever waits */
  run(say: (line: string) => void): Promise<Result>
}

export interface Result {
  readonly tables: readonly Table[]
  /** What a reader must know to read the tables right. */
  readonly notes: readonly string[]
  /** Everything measured, for programs; plain data. */
  readonly figures: object
}
