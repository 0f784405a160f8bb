// Package file writes events to a file, one a line: for a platform that has no
// sink of its own, and for dry runs that people lay side by side.
//
// A line is a JSON object or a row of CSV. Both hold the same fields, in one
// order and with exact amounts, and begin with, or have, the id of the event.
// So a line that a run was cut off over can be looked for: it is written again
// only when it is surely not there.
package file
