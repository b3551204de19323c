package loader

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Answer is what a server answered to a request for a file or a part of it.
type Answer struct {
	Status  int               // 0 where there was no answer
	Failed  string            // why there was none: Aborted, Stalled, or in the browser's words
	URL     string            // where it came from in the end, after redirects; "" where that is not known
	Headers map[string]string // by lower-case names; a page may not read all of them
}

// Why there was no answer.
const (
	Aborted = "abort"
	Stalled = "stall"
)

// ErrChanged says that the file at an address is another than the one that was begun.
var ErrChanged = errors.New("the file changed at its source during the download")

// Transient is an error that may pass: a cut connection, a busy server.
type Transient struct {
	error
	Wait        time.Duration // what the server asked for; 0 for nothing
	Unreachable bool          // no server was reached
}

func (t Transient) Unwrap() error { return t.error }

// Broken is a Transient error for a connection that broke off.
func Broken(err error) error { return Transient{error: err} }

// Encoding is how the body is packed ("gzip"); "" where it comes as it is.
func (a Answer) Encoding() string {
	if e := strings.ToLower(strings.TrimSpace(a.Headers["content-encoding"])); e != "identity" {
		return e
	}
	return ""
}

// Length is the number of bytes of the body; -1 where it is not known. What an error page
// has is no length of a file.
func (a Answer) Length() int64 {
	if a.Status != 200 && a.Status != 206 || a.Encoding() != "" {
		return -1
	}
	n, err := strconv.ParseInt(strings.TrimSpace(a.Headers["content-length"]), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// Range is the part [from, to) that a 206 says it is of, and the size of the whole file,
// -1 where it does not say; ok is false where there is no such header, or pages may not
// read it.
func (a Answer) Range() (from, to, total int64, ok bool) {
	text, found := strings.CutPrefix(strings.TrimSpace(a.Headers["content-range"]), "bytes ")
	part, size, slash := strings.Cut(text, "/")
	first, last, dash := strings.Cut(part, "-")
	from, err1 := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	to, err2 := strconv.ParseInt(strings.TrimSpace(last), 10, 64)
	if !found || !slash || !dash || err1 != nil || err2 != nil || from < 0 || to < from || to == 1<<63-1 {
		return 0, 0, -1, false
	}
	total = -1
	if size = strings.TrimSpace(size); size != "*" {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil || n <= to {
			return 0, 0, -1, false
		}
		total = n
	}
	return from, to + 1, total, true
}

// Total is the size of the whole file; -1 where the answer does not say.
func (a Answer) Total() int64 {
	if a.Status == 206 {
		_, _, total, _ := a.Range()
		return total
	}
	return a.Length()
}

// Tag is a server's name for a state of a file. Two answers with the same strong tag are
// of the same bytes; with the same weak one they may be.
type Tag struct {
	Text   string // "" where there is none
	Strong bool
}

// Tag is the answer's ETag, without the mark of a weak one, which servers add when they
// compress and leave out when they do not; or else its Last-Modified, to the second.
func (a Answer) Tag() Tag {
	if etag := strings.TrimSpace(a.Headers["etag"]); etag != "" {
		text, weak := strings.CutPrefix(etag, "W/")
		return Tag{text, !weak}
	}
	return Tag{strings.TrimSpace(a.Headers["last-modified"]), false}
}

// SHA256 is the file's hash where a hub tells it: in lower-case hexadecimal, or "".
func (a Answer) SHA256() string {
	return sha256Of(strings.Trim(strings.TrimPrefix(a.Headers["x-linked-etag"], "W/"), `"`))
}

func sha256Of(text string) string {
	text = strings.ToLower(text)
	if b, err := hex.DecodeString(text); err != nil || len(b) != 32 {
		return ""
	}
	return text
}

// RetryAfter is how long the server asks to wait, in either form of the header: seconds,
// or a date, which is compared with the server's own clock where it tells it.
func (a Answer) RetryAfter(now time.Time) time.Duration {
	text := strings.TrimSpace(a.Headers["retry-after"])
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(n)*time.Second)
	}
	at, err := time.Parse(time.RFC1123, text)
	if err != nil {
		return 0
	}
	if there, err := time.Parse(time.RFC1123, a.Headers["date"]); err == nil {
		now = there
	}
	return max(0, at.Sub(now))
}

// Check turns an answer to a request for an address into nil, or into words for the person
// who waits for the file. An error that may pass is a Transient.
func (a Answer) Check(address string) error {
	host, name := HostOf(address), NameOf(address)
	switch {
	case a.Status == 0 && a.Failed == Aborted:
		return context.Canceled
	case a.Status == 0 && a.Failed == Stalled:
		return Transient{error: fmt.Errorf("%s sends nothing any more: go on later. What is stored stays", host)}
	case a.Status == 0:
		return Transient{Unreachable: true, error: fmt.Errorf("%s cannot be reached: either the network is down, or the server does not allow web pages to read its files (CORS). Try again, or %w", host, byHand(name))}
	}
	if err := checkRedirect(address, a.URL); err != nil {
		return err
	}
	switch {
	case a.Status == 206 && a.Encoding() != "":
		return fmt.Errorf("%s compresses the parts of %s (content-encoding: %s), so that they cannot be put together: %w", host, name, a.Encoding(), byHand(name))
	case a.Status == 200 || a.Status == 206:
		return nil
	case (a.Status == 401 || a.Status == 403) && Signed(address):
		return fmt.Errorf("%s does not accept the link to %s any more (it answered %d): paste a new link to the same file, and the download goes on where it stopped", host, name, a.Status)
	case a.Status == 401 || a.Status == 403:
		return fmt.Errorf("%s does not send %s (it answered %d): there may be no such model, or you may have to sign in there and accept the model's licence: %w", host, name, a.Status, byHand(name))
	case a.Status == 404 || a.Status == 410:
		return fmt.Errorf("there is no %s at %s (it answered %d): check the link: %w", name, host, a.Status, os.ErrNotExist)
	case a.Status == 416:
		return ErrChanged
	case a.Status == 408 || a.Status == 425 || a.Status == 429 || a.Status >= 500:
		text := "is busy or has a fault"
		if a.Status == 429 {
			text = "asks for fewer requests"
		}
		return Transient{error: fmt.Errorf("%s %s (it answered %d): wait a while, then continue. What is stored stays", host, text, a.Status), Wait: a.RetryAfter(time.Now())}
	}
	return fmt.Errorf("%s answered %d for %s: check the link", host, a.Status, name)
}

// CheckPart checks an answer to a request for the bytes [from, to) of a file of a size:
// some servers send another part, or the whole. What they do not let a page read is
// judged by the length.
func (a Answer) CheckPart(address string, from, to, size int64) error {
	start, end, total, ok := a.Range()
	switch length := a.Length(); {
	case ok && total >= 0 && total != size:
		return ErrChanged
	case a.Status != 206, ok && (start != from || end != to), !ok && length >= 0 && length != to-from:
		return Transient{error: fmt.Errorf("%s sent another part of %s than it was asked for: try again later, or %w", HostOf(address), NameOf(address), byHand(NameOf(address)))}
	}
	return nil
}

// ByHandError is part of the error of a file that the page cannot fetch, but the visitor can. It says how.
type ByHandError struct{ how string }

func (e *ByHandError) Error() string { return e.how }

// byHand says how else a file can be had. Of a folder's small files none is of use alone.
func byHand(name string) *ByHandError {
	if isSettings(name) {
		return &ByHandError{"download the model from its page as one .safetensors file, and use that"}
	}
	return &ByHandError{fmt.Sprintf("download %s in your browser, and use the file", name)}
}

// HostOf is the host of an address, for the person who reads it.
func HostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return "the server"
}

// AnswerHeaders are the headers that are read, for hosts that list them.
var AnswerHeaders = []string{"content-range", "content-length", "content-encoding", "etag", "last-modified", "x-linked-etag", "retry-after", "date"}
