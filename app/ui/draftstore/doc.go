// Package draftstore keeps in the browser what is composed in a tab.
//
// Each tab has a place of its own, which it holds with a Web Lock as long as it lives: the one that it had before, by
// the tab's sessionStorage, or else the first that is free. So a reload, a tab that is opened again and the next visit
// find what was left, and two tabs do not write over each other. The text of a place is in localStorage, because it
// must be written at once when the page goes. The files are in a database, as Blobs, by place and id.
package draftstore
