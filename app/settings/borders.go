package settings

// Borders are the widths of what is painted around the start picture, in pixels of the result. They are multiples of 8, so that
// the start picture begins and ends with whole latents.
type Borders struct {
	Left   int `json:"left,omitempty"`
	Top    int `json:"top,omitempty"`
	Right  int `json:"right,omitempty"`
	Bottom int `json:"bottom,omitempty"`
}

func (b Borders) validate(v *problems, s Settings) {
	if b == (Borders{}) {
		return
	}
	v.require(s.InitImage != "", "outpaint is given without init_image. It says how far the result goes beyond the start picture")
	for _, side := range []struct {
		name  string
		width int
	}{{"left", b.Left}, {"top", b.Top}, {"right", b.Right}, {"bottom", b.Bottom}} {
		v.require(side.width >= 0 && side.width < maxEdge && side.width%8 == 0,
			"outpaint: %s is %d. It must be a multiple of 8, from 0 to %d (the nearest is %d)", side.name, side.width, maxEdge-8, min(max((side.width+4)/8*8, 0), maxEdge-8))
	}
	width, height := s.InitSize()
	v.require(width >= 8 && height >= 8, "outpaint leaves %d × %d of %d × %d pixels to the start picture: choose a larger size, or narrower borders",
		max(width, 0), max(height, 0), s.Width, s.Height)
}
