// Package texts translates what the page says.
//
// The English text in the source is the key of its translations, as with gettext, so that the code can be read:
//
//	texts.T("Delete")
//	texts.F("Seed %d", seed)
//	texts.N(len(list), "%d picture", "%d pictures")
//	var label texts.Text = "Guidance" // a text that is kept, and translated when it is drawn: label.String()
//
// A language is a file of web/languages, which the page loads when it is wanted, so that no language is part of the
// program. The file en.json lists all texts; `go run ./app/texts/extract` writes it. Numbers are written by the
// browser's Intl, through functions that package ui puts in place. On the host everything is in English.
//
// golang.org/x/text/message and go-i18n do the same with tables of all the world's languages, which would be several
// hundred kilobytes of the page's program. The browser has these tables already.
package texts
