package database

import "errors"

// ErrNewer says that a newer version of the page has changed how it stores things.
var ErrNewer = errors.New("a newer version of this page has stored things here that this version cannot read: reload the page to get the newer one. Nothing is lost")

// Blocked is what is shown while another tab does not let go.
const Blocked = "Another tab has an older version of this page open, and it must let go of what is stored before this one can start: close that tab. This page goes on by itself."
