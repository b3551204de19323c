package protocol

import (
	"fmt"

	"github.com/imprompt/imprompt/app/forecast"
	"github.com/imprompt/imprompt/app/settings"
)

// Requests to both workers, and their answers.
type (
	// Cancel ends a request that waits or runs. It has no answer of its own: the request
	// that it names is answered with Stopped.
	Cancel struct {
		Of int `json:"of"`
	}

	// Stopped is the last answer to a request that was cancelled.
	Stopped struct{}

	// Failed is the last answer to a request that could not be done.
	Failed struct {
		Message string `json:"message"`
		Reason  string `json:"reason,omitempty"` // one of the reasons below, or ""
		Record  string `json:"record,omitempty"` // what it was about: a record, or the address of one of its files
	}

	// Started says that the worker's program runs and takes requests.
	Started struct{}

	// Ended says that the worker's program is over, which only a fault brings about.
	// web/js/worker.js sends it.
	Ended struct {
		Message string `json:"message"`
	}
)

// The reasons of Failed that the page treats in a way of its own, or knows a remedy for.
const (
	// Permission: the browser must ask the visitor again before a file is read.
	Permission = "permission"
	// NoAdapter: WebGPU found no graphics card.
	NoAdapter = "adapter"
	// NoDevice: the graphics card could not be opened.
	NoDevice = "device"
	// Memory: the GPU has too little.
	Memory = "memory"
	// Full: the browser's space for the page is used up.
	Full = "full"
	// Damaged: what is stored of Record cannot be used.
	Damaged = "damaged"
	// Taken: a file of the same name, Record, is stored already.
	Taken = "taken"
	// Refused: a server does not give the file to a web page.
	Refused = "refused"
	// Unreachable: a server does not answer, or not now.
	Unreachable = "unreachable"
	// Outdated: another version of the page is in the way.
	Outdated = "outdated"
	// WrongPicture: nothing can be made of the picture.
	WrongPicture = "picture"
)

// Requests to the engine.
type (
	// Load opens a model; "" is the one that ships. It is answered with Loaded.
	Load struct {
		Model string `json:"model"`
		VAE   string `json:"vae,omitempty"` // in place of the model's own
	}

	// Generate draws what the settings ask for. The pictures that the settings name
	// travel beside it. It is answered with a Picture for each, and then with Drawn.
	Generate struct {
		Settings settings.Settings `json:"settings"`
	}

	// Skip drops the picture under way of a Generate, and goes on with the next. It has
	// no answer.
	Skip struct {
		Of int `json:"of"`
	}

	// Embed encodes the pictures of a guide, an IP-Adapter, so that they can be kept as a file and
	// loaded in their place (settings.IPAdapter.Embeds). The pictures travel beside it. It is
	// answered with Embeds, and then with Embedded.
	Embed struct {
		Settings settings.Settings `json:"settings"`
		Guide    int               `json:"guide"` // its index in the settings
	}

	// Judge asks how near pictures are to what they were made from, which is measured by the image
	// encoders of the model that is loaded. The pictures' files travel beside it under JudgedName, and
	// those that the settings name. It is answered with Judged.
	Judge struct {
		Settings []settings.Settings `json:"settings"` // by picture
	}

	// Tokens counts the tokens of the words. It does not wait for its turn, and is
	// answered with Counted.
	Tokens struct {
		Prompt   string `json:"prompt"`
		Negative string `json:"negative"`
		Weights  bool   `json:"weights,omitempty"` // whether they are read with markup
		// Embeddings are the textual inversions that the words call.
		Embeddings []Embedding `json:"embeddings,omitempty"`
	}

	// Embedding is what a textual inversion is called, and how many tokens it takes.
	Embedding struct {
		Names   []string `json:"names"`
		Vectors int      `json:"vectors"`
	}

	// MakeMap makes the map that a preprocessor (maps.Parse) makes of the picture beside it, named "picture", for a result
	// of a size. It is answered with MapMade, and waits for its turn only if a network makes the map.
	MakeMap struct {
		Preprocessor string `json:"preprocessor"`
		Weights      string `json:"weights,omitempty"` // of the preprocessor's network
		Model        string `json:"model,omitempty"`   // that the map is for
		Width        int    `json:"width"`
		Height       int    `json:"height"`
		Background   string `json:"background,omitempty"` // behind a transparent picture, as of the settings
	}

	// Forget says that a stored file was deleted, so that a model that was loaded from it
	// must go. It is answered with Forgotten.
	Forget struct{}

	// Gauge asks how fast the GPU is, which is remembered or takes less than a second to measure. It is answered with
	// Gauged.
	Gauge struct{}

	// Measure has the kernels measured anew when the next large model is loaded. It closes the
	// model that is loaded, and is answered with Forgotten.
	Measure struct{}
)

// What the worker that checks the GPU says (web/js/check.js writes these by hand).
type (
	// CheckProgress is how far the tests are.
	CheckProgress struct {
		Text     string  `json:"text"`
		Fraction float64 `json:"fraction"`
	}

	// CheckOver says that the tests have run or were stopped, and what was found.
	CheckOver struct {
		Summary   string   `json:"summary"`
		Different []string `json:"different"` // operations, a sentence each
		Problem   string   `json:"problem"`   // why not all tests have run, or ""
		Report    string   `json:"report"`    // JSON, to attach to an issue
	}
)

// Answers of the engine.
type (
	// Ready describes the GPU, which was opened for a request.
	Ready struct {
		Adapter      string `json:"adapter"` // its name
		Vendor       string `json:"vendor"`
		Architecture string `json:"architecture"`
		F16          bool   `json:"f16"`
		Software     bool   `json:"software"`    // it is the processor in a GPU's place
		MaxBuffer    int64  `json:"max_buffer"`  // bytes
		MaxBinding   int64  `json:"max_binding"` // bytes
		Workgroup    int    `json:"workgroup"`   // invocations
		// MachineMemory is that of the machine in GiB, as far as the browser tells; 0 is not known.
		MachineMemory float64 `json:"machine_memory"`
	}

	// Loaded says that the model is on the GPU, as far as it fits.
	Loaded struct {
		Kernels
		Memory int64 `json:"memory"` // bytes that the GPU holds
	}

	// Counted answers Tokens. Both limits are 0 where no model is loaded.
	Counted struct {
		Prompt   Count `json:"prompt"`
		Negative Count `json:"negative"`
	}

	// Count is how many tokens a text has.
	Count struct {
		Tokens   int    `json:"tokens"`
		Limit    int    `json:"limit"`
		Overflow string `json:"overflow,omitempty"` // the words that are cut off
	}

	// MapMade answers MakeMap. The map is a PNG named "png" beside it, or Problem says why there is none.
	MapMade struct {
		Problem string `json:"problem,omitempty"`
		Reason  string `json:"reason,omitempty"` // one of those of Failed, or ""
		Record  string `json:"record,omitempty"` // as Failed has it
	}

	// Progress is how far a Load or a Generate is.
	Progress struct {
		Stage          string  `json:"stage"` // load, encode, compile, denoise or decode
		Done           int64   `json:"done"`  // bytes of the weights that are loading
		Total          int64   `json:"total"` // bytes
		Fraction       float64 `json:"fraction"`
		Image          int     `json:"image"` // counted from 0
		Images         int     `json:"images"`
		Step           int     `json:"step"` // steps that are done
		Steps          int     `json:"steps"`
		SecondsPerStep float64 `json:"seconds_per_step"`
		// As in engine.Event: of a picture that needs several passes.
		Pass        int     `json:"pass,omitempty"`
		Passes      int     `json:"passes,omitempty"`
		Before      float64 `json:"before,omitempty"`
		After       float64 `json:"after,omitempty"`
		LatentsOnly bool    `json:"latents_only,omitempty"`
	}

	// Preview is the picture in the making, an ImageBitmap named "bitmap" beside it.
	Preview struct{}

	// Picture is a picture that is ready, a PNG named "png" beside it.
	Picture struct {
		Index    int               `json:"index"` // among those of the request
		Settings settings.Settings `json:"settings"`
		Cost     Cost              `json:"cost"`
	}

	// Cost is what a picture took. It is stored in the gallery, too.
	Cost struct {
		Seconds        float64            `json:"seconds"`
		SecondsPerStep float64            `json:"seconds_per_step"`
		Steps          int                `json:"steps"`
		Peak           int                `json:"peak"` // bytes of the GPU's memory
		Stages         map[string]float64 `json:"stages"`
	}

	// Judged answers Judge.
	Judged struct {
		Scores []Score `json:"scores"` // by picture
	}

	// Score is engine.Score: how near a picture is to its image prompts and to its words. It is stored
	// in the gallery, too.
	Score struct {
		CLIPI []float64 `json:"clip_i"`
		CLIPT *float64  `json:"clip_t,omitempty"`
	}

	// Kernels are the variants of kernels that were chosen (gpu.Kernels), and what was measured on this GPU, now or
	// on an earlier visit.
	Kernels struct {
		Chosen string  `json:"chosen"`
		Trials []Trial `json:"trials"`
	}

	// Trial is a gpu.Trial: how fast a variant is for a shape, and why it is not used, or "".
	Trial struct {
		Key          string  `json:"key"`
		Variant      string  `json:"variant"`
		Milliseconds float64 `json:"milliseconds"`
		Refused      string  `json:"refused,omitempty"`
	}

	// Drawn says that all pictures of a Generate have come.
	Drawn struct {
		Memory    int64 `json:"memory"` // bytes that the GPU holds
		Peak      int64 `json:"peak"`   // the most that it held
		Pipelines int   `json:"pipelines"`
		Kernels
		Card forecast.Card `json:"card"` // what is known of the GPU's speed after it
	}

	// Gauged is what is known of the GPU's speed.
	Gauged struct {
		Card forecast.Card `json:"card"`
	}

	// Embeds is a file of embeddings, its bytes named "embeds" beside it. Embedded follows, and ends
	// the request.
	Embeds   struct{}
	Embedded struct{}

	// Forgotten answers Forget and Measure.
	Forgotten struct{}

	// Warning is something that the visitor should know; the request goes on.
	Warning struct {
		Message string `json:"message"`
	}

	// Lost says that the GPU was taken away, and the request with it. The next request
	// opens it again.
	Lost struct {
		Message string `json:"message"`
	}
)

// JudgedName is what the file of picture i of a Judge is called. The files that settings name have no
// slash in their names.
func JudgedName(i int) string { return fmt.Sprintf("/%d", i) }

func (Cancel) Type() string   { return "cancel" }
func (Stopped) Type() string  { return "stopped" }
func (Failed) Type() string   { return "failed" }
func (Started) Type() string  { return "started" }
func (Ended) Type() string    { return "ended" }
func (Load) Type() string     { return "load" }
func (Generate) Type() string { return "generate" }
func (Skip) Type() string     { return "skip" }
func (Embed) Type() string    { return "embed" }
func (Embeds) Type() string   { return "embeds" }
func (Embedded) Type() string { return "embedded" }
func (Judge) Type() string    { return "judge" }
func (Judged) Type() string   { return "judged" }
func (Tokens) Type() string   { return "tokens" }
func (MakeMap) Type() string  { return "make-map" }
func (MapMade) Type() string  { return "map-made" }
func (Forget) Type() string   { return "forget" }
func (Gauge) Type() string    { return "gauge" }
func (Gauged) Type() string   { return "gauged" }
func (Measure) Type() string  { return "measure" }

func (CheckProgress) Type() string { return "check-progress" }
func (CheckOver) Type() string     { return "check-over" }

func (Ready) Type() string     { return "ready" }
func (Loaded) Type() string    { return "loaded" }
func (Counted) Type() string   { return "counted" }
func (Progress) Type() string  { return "progress" }
func (Preview) Type() string   { return "preview" }
func (Picture) Type() string   { return "picture" }
func (Drawn) Type() string     { return "drawn" }
func (Forgotten) Type() string { return "forgotten" }
func (Warning) Type() string   { return "warning" }
func (Lost) Type() string      { return "lost" }
