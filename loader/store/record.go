package store

import (
	"github.com/imprompt/imprompt/loader"
)

// Record is what the visitor chose, of one of the kinds of package loader: a model, an adapter, a
// VAE. It lists the files, so that a download continues after a reload and all of it is deleted
// together.
type Record struct {
	ID      string      `json:"id"` // the catalogue's, a link, or the name of a file: settings name it by this
	Kind    loader.Kind `json:"kind"`
	Name    string      `json:"name"`
	Licence string      `json:"licence,omitempty"` // the catalogue's
	Needs   string      `json:"needs,omitempty"`   // the id of another record
	Source  string      `json:"source"`            // the link; "" for a file on this disk
	Base    string      `json:"base,omitempty"`    // the address of a folder; "" for a single file
	Files   []Remote    `json:"files"`
	Query   string      `json:"query,omitempty"`  // of a signed link, while it is downloaded; it is never shown
	Handle  bool        `json:"handle,omitempty"` // the file is read from its place on the disk, and none of it is stored
	// Complete says that all files are stored and were examined. The fields below are known
	// then.
	Complete   bool `json:"complete"`
	Released   bool `json:"released,omitempty"`    // every file of weights has the SHA-256 that its publisher states
	InChannels int  `json:"in_channels,omitempty"` // of a model's UNet; 9 for inpainting
	Pixels     int  `json:"pixels,omitempty"`      // the size that a model was trained for
	CrossDim   int  `json:"cross_dim,omitempty"`   // the UNet's cross_attention_dim: which adapters fit
	// LoRA is what a LoRA's file says about itself.
	LoRA *loader.LoRAInfo `json:"lora,omitempty"`
	// TextualInversion is what an embedding's file says about itself. CrossDim is then the length of
	// its vectors.
	TextualInversion *loader.TextualInversionInfo `json:"textual_inversion,omitempty"`
	WithoutVAE       bool                         `json:"without_vae,omitempty"` // a model whose file has no VAE, so that it needs another one
	Tiny             bool                         `json:"tiny,omitempty"`        // a VAE that is fast enough for previews
	Style            bool                         `json:"style,omitempty"`       // a T2I-Adapter that reads a picture's style, through an image encoder
	Width            int                          `json:"width,omitempty"`       // of an image encoder's hidden states: 1280 for ViT-H, 1024 for ViT-L
}

// Bytes is the size of the download.
func (r Record) Bytes() (n int64) {
	for _, f := range r.Files {
		n += f.Size
	}
	return n
}

// Space is the size of what is stored.
func (r Record) Space() (n int64) {
	if r.Handle {
		return 0
	}
	for _, f := range r.Files {
		n += f.space()
	}
	return n
}

// Remote is a file that a record needs.
type Remote struct {
	URL    string
	Size   int64  // at its source
	Stored int64  `json:",omitempty"` // if less: 32-bit numbers are stored with 16 bits
	SHA256 string `json:",omitempty"` // of the source, if its publisher tells it
}

func (f Remote) space() int64 {
	if f.Stored > 0 {
		return f.Stored
	}
	return f.Size
}

// Item is a record and how much of it is stored.
type Item struct {
	Record
	Done  int64 `json:"done"`  // bytes of the source
	Space int64 `json:"space"` // bytes on this disk
}

// Library is everything that is stored, and how much space the browser grants.
type Library struct {
	Items    []Item `json:"items"`
	LeftOver int64  `json:"left_over"` // bytes of files that belong to no record
	Used     int64  `json:"used"`
	Granted  int64  `json:"granted"`
}

// Progress of a download.
type Progress struct {
	Done    int64          `json:"done"` // bytes of the source
	Total   int64          `json:"total"`
	Waiting bool           `json:"waiting"` // for another tab, which is downloading the same file
	Queued  bool           `json:"queued"`  // behind another download
	Note    string         `json:"note"`    // what is waited for, in words; "" for nothing
	Anew    bool           `json:"anew"`    // the file was changed at its source, and its download began anew
	Files   []FileProgress `json:"files"`
}

// FileProgress is the progress of one file.
type FileProgress struct {
	Name  string `json:"name"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// fileID is the id of a file of the visitor's disk: its name, unless something else goes
// by such a name, which a file must not take the place of: what ships (reserved), and the
// catalogue's entries, whose ids have no ending.
func fileID(name string, reserved func(string) bool) string {
	if loader.IsWeights(name) && (reserved == nil || !reserved(name)) {
		return name
	}
	return onDisk + name
}

// onDisk is the prefix of the addresses of files that came from the visitor's disk.
const onDisk = "file:"
