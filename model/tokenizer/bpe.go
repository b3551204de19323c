package tokenizer

import (
	"container/heap"
	"strings"
	"unicode/utf8"
)

// endOfWord marks the token that ends a word.
const endOfWord = "</w>"

// bpe is byte-level byte-pair encoding: a word's bytes, written as printable
// characters, are joined pair by pair in the order of merges.txt.
type bpe struct {
	ids     map[string]int32
	names   map[int32]string
	merges  map[[2]int32]merge
	unknown int32 // the token for a byte that the vocabulary lacks
	size    int32 // one more than the highest id in the vocabulary, where added tokens begin
}

type merge struct {
	rank int   // position in merges.txt; the lowest is merged first
	id   int32 // the token that the pair becomes
}

// encode appends the tokens of a word to ids.
func (m *bpe) encode(ids []int32, word string) []int32 {
	symbols := make([]symbol, len(word))
	for i := range len(word) {
		name := byteNames[word[i]]
		if i == len(word)-1 {
			name += endOfWord
		}
		id, ok := m.ids[name]
		if !ok {
			id = m.unknown
		}
		symbols[i] = symbol{id: id, previous: i - 1, next: i + 1}
	}
	m.mergeAll(symbols)
	for i := 0; i < len(symbols); i = symbols[i].next {
		ids = append(ids, symbols[i].id)
	}
	return ids
}

// A symbol is one of the tokens that a word consists of so far, in a list linked by index.
type symbol struct {
	id             int32
	previous, next int
	gone           bool // joined to the symbol before it
}

// mergeAll joins the pair with the lowest rank, and of equals the leftmost, until no pair
// is left. The queue keeps this at n log n for a word of any length. Entries of the queue
// may be out of date, and are then skipped.
func (m *bpe) mergeAll(symbols []symbol) {
	var queue mergeQueue
	propose := func(left int) {
		right := symbols[left].next
		if right >= len(symbols) {
			return
		}
		if found, ok := m.merges[[2]int32{symbols[left].id, symbols[right].id}]; ok {
			heap.Push(&queue, candidate{found, left, symbols[left].id, symbols[right].id})
		}
	}
	for i := range len(symbols) - 1 {
		propose(i)
	}
	for queue.Len() > 0 {
		c := heap.Pop(&queue).(candidate)
		left := &symbols[c.at]
		if left.gone || left.id != c.left || left.next >= len(symbols) || symbols[left.next].id != c.right {
			continue
		}
		symbols[left.next].gone = true
		left.id, left.next = c.id, symbols[left.next].next
		if left.next < len(symbols) {
			symbols[left.next].previous = c.at
		}
		propose(c.at)
		if left.previous >= 0 {
			propose(left.previous)
		}
	}
}

type candidate struct {
	merge
	at          int
	left, right int32
}

type mergeQueue []candidate

func (q mergeQueue) Len() int { return len(q) }
func (q mergeQueue) Less(i, j int) bool {
	if q[i].rank != q[j].rank {
		return q[i].rank < q[j].rank
	}
	return q[i].at < q[j].at
}
func (q mergeQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *mergeQueue) Push(x any)   { *q = append(*q, x.(candidate)) }
func (q *mergeQueue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = (*q)[:last]
	return c
}

// appendBytes appends the bytes that a token's name stands for. If one of its characters
// stands for no byte, the name is appended as it is written.
func (m *bpe) appendBytes(b []byte, name string) []byte {
	start := len(b)
	for _, r := range name {
		value, ok := byteOf[r]
		if !ok {
			return append(b[:start], name...)
		}
		b = append(b, value)
	}
	return b
}

// byteNames and byteOf are GPT-2's bytes_to_unicode: printable bytes are written as
// themselves, and the others as the characters from U+0100 on.
var byteNames, byteOf = func() (names [256]string, of map[rune]byte) {
	of = map[rune]byte{}
	next := rune(256)
	for b := range rune(256) {
		r := b
		if b < '!' || '~' < b && b < '¡' || b == 0xad {
			r = next
			next++
		}
		names[b], of[r] = string(r), byte(b)
	}
	return names, of
}()

// lossyUTF8 replaces each broken character by one U+FFFD.
func lossyUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			size = brokenLength(b)
		}
		s.WriteRune(r)
		b = b[size:]
	}
	return s.String()
}

// brokenLength returns how many bytes belong to the broken character that b begins with:
// its valid beginning, or else one byte (Unicode's "maximal subpart", as in Rust's
// from_utf8_lossy).
func brokenLength(b []byte) int {
	n := 1
	for n < len(b) && n < utf8.UTFMax && !utf8.FullRune(b[:n]) {
		if utf8.FullRune(b[:n+1]) {
			break
		}
		n++
	}
	return n
}
