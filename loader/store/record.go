package store

// Record is a model, an adapter or an image encoder that the visitor chose: which files
// it has, so that its download goes on after a reload and it is deleted as one.
type Record struct {
	ID      string   `json:"id"`   // the catalogue's, a link, or a file's name: what settings call it
	Kind    string   `json:"kind"` // as in the catalogue: model, ip_adapter or image_encoder
	Name    string   `json:"name"`
	Licence string   `json:"licence,omitempty"` // the catalogue's
	Needs   string   `json:"needs,omitempty"`   // another record's id
	Source  string   `json:"source"`            // the link; "" for a file of this disk
	Base    string   `json:"base,omitempty"`    // a folder's address; "" for a single file
	Files   []Remote `json:"files"`
	Handle  bool     `json:"handle,omitempty"` // read where it lies: nothing of it is stored
	// Complete: all is here, and it was looked into. What follows is known then.
	Complete   bool `json:"complete"`
	InChannels int  `json:"in_channels,omitempty"` // of a model's UNet; 9 for inpainting
	Pixels     int  `json:"pixels,omitempty"`      // the size that a model was trained for
	CrossDim   int  `json:"cross_dim,omitempty"`   // the UNet's cross_attention_dim: which adapters fit
}

// Bytes is how much there is to download.
func (r Record) Bytes() (n int64) {
	for _, f := range r.Files {
		n += f.Size
	}
	return n
}

// Space is how much it takes when it is stored.
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
	Stored int64  `json:",omitempty"` // where it is less: numbers of 32 bits are stored with 16
	SHA256 string `json:",omitempty"` // of the source, where it is known and nothing is converted
}

func (f Remote) space() int64 {
	if f.Stored > 0 {
		return f.Stored
	}
	return f.Size
}

// Item is a record and how much of it is here.
type Item struct {
	Record
	Done  int64 `json:"done"`  // bytes of the source
	Space int64 `json:"space"` // bytes that it takes
}

// Library is all that is stored, and the browser's word on space.
type Library struct {
	Items    []Item `json:"items"`
	LeftOver int64  `json:"left_over"` // bytes of files that belong to nothing
	Used     int64  `json:"used"`
	Granted  int64  `json:"granted"`
}

// Progress is how far a download is.
type Progress struct {
	Done    int64          `json:"done"` // bytes of the source
	Total   int64          `json:"total"`
	Waiting bool           `json:"waiting"` // for another tab, which downloads the same
	Queued  bool           `json:"queued"`  // for the download before it
	Files   []FileProgress `json:"files"`
}

// FileProgress is how far one file is.
type FileProgress struct {
	Name  string `json:"name"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}
