package gpu

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// File is a file in which parameters are, a pointer. What ReadRange returns belongs to the caller.
type File interface {
	ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error)
}

// How a file is read ahead: in windows of at most windowBytes, with as many windows under way as
// aheadBytes has room for. A window costs about a millisecond to ask for, so tensors that follow one
// another in the file are read together, and a browser's storage is fastest with several windows
// under way.
const (
	windowBytes = 24 << 20
	aheadBytes  = 3 * windowBytes
)

// Ahead reads parameters before they are asked for, so that the storage works while the GPU gets what
// has been read. Parameters without a File are left alone.
type Ahead struct {
	ctx     context.Context
	cancel  context.CancelFunc
	pieces  []*piece
	planned sync.Once

	mu      sync.Mutex
	windows []*window
	next    int       // the first window that is not begun
	held    int64     // bytes of the windows that are begun and still needed
	used    []*window // all of whose pieces are taken; the last one may still be in use
}

// piece is what is read of a parameter at a time.
type piece struct {
	file   File
	at, n  int64
	group  int
	window *window
	taken  bool
}

// window is a range of a file with pieces.
type window struct {
	file  File
	at, n int64
	left  []*piece // that are not taken
	begun bool
	done  chan struct{}
	bytes webapi.Bytes
	err   error
}

// NewAhead returns an Ahead that reads until ctx ends or Close is called.
func NewAhead(ctx context.Context) *Ahead {
	a := &Ahead{}
	a.ctx, a.cancel = context.WithCancel(ctx)
	return a
}

// Close ends the reading and frees what was read.
func (a *Ahead) Close() {
	a.cancel()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free()
}

// Add appends a parameter, before the first one is read, and replaces its Read. The bytes that Read
// returns are valid until the next parameter or the next piece is read. Parameters are read by
// groups, in the order of the groups, and each in the pieces in which Repack copies it; anything
// else is read when it is asked for.
func (a *Ahead) Add(p *Parameter, group int) {
	if p.File == nil {
		return
	}
	read, mine := p.Read, map[int64]*piece{}
	for _, r := range p.runs() {
		mine[r.off] = &piece{file: p.File, at: p.At + r.off, n: r.n, group: group}
		a.pieces = append(a.pieces, mine[r.off])
	}
	p.Read = func(ctx context.Context, off, n int64) (webapi.Bytes, error) {
		a.planned.Do(a.plan)
		w := a.take(mine[off], n, group)
		if w == nil {
			return read(ctx, off, n)
		}
		select {
		case <-w.done:
		case <-ctx.Done():
			return webapi.BytesOf(nil), ctx.Err()
		}
		if w.err != nil {
			return w.bytes, w.err
		}
		at := mine[off].at - w.at
		return webapi.Slice(w.bytes, at, at+n), nil
	}
}

// plan puts the pieces into windows, in the order in which they are needed.
func (a *Ahead) plan() {
	files, first := map[File]int{}, map[*window]int{}
	order := map[*piece]int{}
	for i, p := range a.pieces {
		order[p] = i
		if _, ok := files[p.file]; !ok {
			files[p.file] = len(files)
		}
	}
	slices.SortStableFunc(a.pieces, func(p, q *piece) int {
		return cmp.Or(cmp.Compare(files[p.file], files[q.file]), cmp.Compare(p.at, q.at))
	})
	var w *window
	for _, p := range a.pieces {
		if w == nil || w.file != p.file || p.at != w.at+w.n || p.at+p.n > w.at+windowBytes {
			w = &window{file: p.file, at: p.at, done: make(chan struct{})}
			a.windows = append(a.windows, w)
			first[w] = order[p]
		}
		p.window, w.left, w.n = w, append(w.left, p), p.at+p.n-w.at
		first[w] = min(first[w], order[p])
	}
	slices.SortStableFunc(a.windows, func(v, w *window) int { return cmp.Compare(first[v], first[w]) })
}

// take returns the window of a piece, which it begins to read, or nil if the piece is not in one. It frees
// what nobody will ask for any more, and begins the next windows.
func (a *Ahead) take(p *piece, n int64, group int) *window {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free()
	for _, w := range a.windows[:a.next] {
		w.left = slices.DeleteFunc(w.left, func(q *piece) bool { return q.group < group })
	}
	var taken *window
	if p != nil && p.n == n && !p.taken {
		p.taken, taken = true, p.window
		if !taken.begun {
			a.begin(taken)
		}
		taken.left = slices.DeleteFunc(taken.left, func(q *piece) bool { return q == p })
	}
	for i := 0; i < a.next; i++ {
		if w := a.windows[i]; w.begun && len(w.left) == 0 {
			a.held -= w.n
			a.used = append(a.used, w)
			a.windows = slices.Delete(a.windows, i, i+1)
			a.next, i = a.next-1, i-1
		}
	}
	for ; a.next < len(a.windows); a.next++ {
		w := a.windows[a.next]
		if !w.begun {
			if a.held > 0 && a.held+w.n > aheadBytes {
				break
			}
			a.begin(w)
		}
	}
	return taken
}

// begin begins to read a window.
func (a *Ahead) begin(w *window) {
	w.begun = true
	a.held += w.n
	go func() {
		w.bytes, w.err = w.file.ReadRange(a.ctx, w.at, w.n)
		close(w.done)
	}()
}

// free frees the windows that are used up. JavaScript's garbage collection would keep their bytes for a long time.
func (a *Ahead) free() {
	for _, w := range a.used {
		select {
		case <-w.done:
			if w.err == nil {
				webapi.Free(w.bytes)
			}
		default: // the reading was given up
		}
	}
	a.used = nil
}

// rowRun is some whole rows of a parameter, and where their bytes are in its data.
type rowRun struct {
	row, rows int
	off, n    int64
}

// runs are the pieces in which a parameter is copied to the GPU.
func (p Parameter) runs() []rowRun {
	if p.Count() == 0 || p.ElementBytes() == 0 {
		return nil
	}
	total := p.Shape[0]
	rowBytes := int64(p.Count()/total) * int64(p.ElementBytes())
	each := int(max(1, min(int64(total), StageBytes/rowBytes)))
	if each >= 4 && each < total {
		each &^= 3 // four rows of a matrix become a column of vec4, so a run has to begin at one
	}
	var list []rowRun
	for row := 0; row < total; row += each {
		rows := min(each, total-row)
		list = append(list, rowRun{row, rows, int64(row) * rowBytes, int64(rows) * rowBytes})
	}
	return list
}
