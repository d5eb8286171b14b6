// @ts-check
/** Spreadsheets take a leading = + - @ for a formula; a leading apostrophe keeps it text. @param {unknown} value */
function cell(value) {
  const text = value === null || value === undefined ? '' : String(value)
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** RFC 4180 text with a header line. @param {string[]} columns @param {Record<string, unknown>[]} rows */
export function toCsv(columns, rows) {
  const lines = [columns.map(cell), ...rows.map((row) => columns.map((column) => cell(row[column])))]
  return lines.map((line) => line.join(',')).join('\r\n') + '\r\n'
}

/** @param {string} fileName @param {string} text */
export function download(fileName, text, type = 'text/csv;charset=utf-8') {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  link.click()
  URL.revokeObjectURL(url)
}
