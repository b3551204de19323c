package store

import (
	"errors"
	"fmt"
)

// What keeps the store from doing what it is asked for, and the visitor can change.
var (
	// ErrFull means that the browser grants no more space.
	ErrFull = errors.New("the browser's space for this page is used up: delete a model here, or free space on the disk, and continue. What is stored stays")
	// ErrPermission means that the browser has to ask the visitor again before it reads a file from
	// its place: the page calls the handle's requestPermission when the visitor clicks.
	ErrPermission = errors.New("after a reload the browser asks again whether this page may read the file: allow it")
	// ErrElsewhere means that another tab is working on a record.
	ErrElsewhere = errors.New("another tab of this page is downloading it: pause it there first")
	// ErrTaken means that another file of the same name is stored.
	ErrTaken = errors.New("delete it first, or rename the new one")
)

// DamagedError says that what is stored of a file cannot be used.
type DamagedError struct {
	File string // its address, or the id of its record
	why  error
}

func (e *DamagedError) Error() string { return e.why.Error() + ": delete it and download it again" }
func (e *DamagedError) Unwrap() error { return e.why }

// Damaged returns a DamagedError. why, a format, says what is wrong.
func Damaged(file, why string, of ...any) error {
	return &DamagedError{file, fmt.Errorf(why, of...)}
}
