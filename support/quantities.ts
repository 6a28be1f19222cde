/** `1 line`, `2 lines`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** Milliseconds as `0.4 ms`, `48 ms`, `2.5 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${Math.round(ms / 100) / 10} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** How long ago something was, roughly, from milliseconds: `40 s`, `12 min`, `5 h`, `3 days`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  return seconds < 48 * 3_600 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} days`
}

/** In ms. */
export const DAY = 24 * 60 * 60 * 1000

/** Whole days from a time, now by default, until another; negative when that has passed, NaN where one cannot be read. */
export const daysUntil = (date: Date | string, from: Date | string | number = Date.now()): number =>
  Math.floor((new Date(date).getTime() - new Date(from).getTime()) / DAY)

/** `2026-11-24 11:57 UTC`. Returns a text that is not a date as it is. */
export function minute(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? time : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** `2026-11-24`. Returns a text that is not a date as it is. */
export function day(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? time : date.toISOString().slice(0, 10)
}
