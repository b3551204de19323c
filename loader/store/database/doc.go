// Package database opens the browser's databases, which other tabs, with an older or a
// newer version of the page, may have open at the same time.
package database
