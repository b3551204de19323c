package protocol

import (
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// Requests to the library, the worker that downloads, verifies and deletes models. A
// record is a model, an adapter or an image encoder; its id is what Settings call it.
type (
	// List asks for Stored, and is then answered with Finished.
	List struct{}

	// Plan asks what entries of the catalogue, or a link, consist of. It is answered
	// with Planned.
	Plan struct {
		Records []string `json:"records"`        // the entries' ids; none for a link
		Link    string   `json:"link,omitempty"` // an address, or owner/model
		Base    string   `json:"base,omitempty"` // a mirror in place of the catalogue's hub
	}

	// Download fetches what was planned, or goes on with a download. Cancel pauses it.
	Download struct {
		Record string `json:"record"`
	}

	// Verify reads all of a record again and compares checksums.
	Verify struct {
		Record string `json:"record"`
	}

	// Delete deletes a record, or forgets the file that it is read from.
	Delete struct {
		Record string `json:"record"`
	}

	// Tidy deletes what given-up downloads left over.
	Tidy struct{}

	// Import copies a File named "file" into the browser.
	Import struct{}

	// Keep remembers a FileSystemFileHandle named "handle", so that the file is read from
	// the disk.
	Keep struct{}
)

// Answers of the library.
type (
	// Stored is what is stored. It is sent with the id 0: when the worker starts, after
	// List, and whenever something changes. Beside it are the handles of the files that
	// are read from the disk, by record.
	Stored struct {
		Library   store.Library    `json:"library"`
		Catalogue loader.Catalogue `json:"catalogue"`
	}

	// Planned is what would be downloaded: the records that were asked for, and those that
	// they need, as far as they are not here.
	Planned struct {
		Records []store.Record `json:"records"`
	}

	// Moved is how far a Download, a Verify or an Import is.
	Moved struct {
		Record   string         `json:"record"`
		Progress store.Progress `json:"progress"`
		Speed    float64        `json:"speed"` // bytes per second
		Left     float64        `json:"left"`  // seconds
	}

	// Finished is the last answer to every request but Plan.
	Finished struct {
		Record string `json:"record"`
	}
)

func (List) Type() string     { return "list" }
func (Plan) Type() string     { return "plan" }
func (Download) Type() string { return "download" }
func (Verify) Type() string   { return "verify" }
func (Delete) Type() string   { return "delete" }
func (Tidy) Type() string     { return "tidy" }
func (Import) Type() string   { return "import" }
func (Keep) Type() string     { return "keep" }
func (Stored) Type() string   { return "stored" }
func (Planned) Type() string  { return "planned" }
func (Moved) Type() string    { return "moved" }
func (Finished) Type() string { return "finished" }
