package settings

// ControlNet is a ControlNet with its map.
type ControlNet struct {
	Weights string  `json:"controlnet"` // "" is the one that ships
	Map     string  `json:"control_image"`
	Mask    string  `json:"control_mask,omitempty"` // white is what an inpaint ControlNet repaints: the map is -1 there
	Lambda  float64 `json:"controlnet_conditioning_scale"`
	Start   float64 `json:"control_guidance_start"` // fraction of the steps, 0 to 1
	End     float64 `json:"control_guidance_end"`   // fraction of the steps, 0 to 1
	Balance string  `json:"control_mode"`           // one of Balances
	// Preprocessor makes the map from the picture, in the form of maps.Preprocessor.String; "" if the picture is the map.
	Preprocessor string `json:"preprocessor,omitempty"`
	// PreprocessorWeights is the file of the preprocessor's network; "" if it has none.
	PreprocessorWeights string `json:"preprocessor_weights,omitempty"`
}

// The values of ControlNet.Balance: sd-webui-controlnet's three control modes, and diffusers'
// guess_mode.
const (
	BalanceEven    = "balanced"
	BalancePrompt  = "prompt"  // "My prompt is more important"
	BalanceControl = "control" // "ControlNet is more important"
	BalanceGuess   = "guess"
)

// Balances lists the values of ControlNet.Balance.
var Balances = []string{BalanceEven, BalancePrompt, BalanceControl, BalanceGuess}

// KindControlNet is the kind of a *ControlNet.
const KindControlNet = "controlnet"

func init() { kinds[KindControlNet] = func() Guide { c := DefaultControlNet(); return &c } }

// DefaultControlNet returns a ControlNet with diffusers' defaults and no map.
func DefaultControlNet() ControlNet { return ControlNet{Lambda: 1, End: 1, Balance: BalanceEven} }

// Kind implements Guide.
func (c *ControlNet) Kind() string { return KindControlNet }

// Files implements Guide.
func (c *ControlNet) Files() []string { return []string{c.Weights} }

// Pictures implements Guide.
func (c *ControlNet) Pictures() []string { return []string{c.Map, c.Mask} }

func (c *ControlNet) names() []*string {
	return []*string{&c.Weights, &c.Map, &c.Mask, &c.Balance, &c.Preprocessor, &c.PreprocessorWeights}
}

func (c *ControlNet) clone() Guide { copied := *c; return &copied }

func (c *ControlNet) bound(*notes) {}

func (c *ControlNet) validate(v *problems, where string) {
	v.require(c.Map != "", "%scontrol_image is missing. Give the map that the ControlNet reads, or leave the ControlNet out", where)
	v.number(where+"controlnet_conditioning_scale", c.Lambda, -10, 10)
	v.fractions(where, "control_guidance_start", "control_guidance_end", c.Start, c.End)
	v.choice(where+"control_mode", c.Balance, Balances)
	v.preprocessor(where, c.Preprocessor, c.PreprocessorWeights)
}
