package maps

import "math"

// linear says which two samples make one sample of the result, and how much of the second.
type linear struct {
	index [2]int
	part  float32
}

// linears is what INTER_LINEAR reads. Beyond the border the outermost sample stands for those that are missing.
func linears(from, to int) []linear {
	list := make([]linear, to)
	scale := step(from, to)
	for i := range list {
		at := float32(float64((float64(i)+0.5)*scale) - 0.5)
		first := int(math.Floor(float64(at)))
		part := at - float32(first)
		if first < 0 {
			first, part = 0, 0
		}
		if first >= from-1 {
			first, part = from-1, 0
		}
		list[i] = linear{[2]int{first, min(first+1, from-1)}, part}
	}
	return list
}

// Enlarge is OpenCV's resize with INTER_LINEAR of float32 samples, one for each pixel.
func Enlarge(samples []float32, fromWidth, fromHeight, width, height int) []float32 {
	columns := linears(fromWidth, width)
	across := make([]float32, fromHeight*width)
	for y := range fromHeight {
		row := samples[y*fromWidth:]
		for x, c := range columns {
			across[y*width+x] = row[c.index[0]]*(1-c.part) + row[c.index[1]]*c.part
		}
	}
	out := make([]float32, 0, height*width)
	for _, r := range linears(fromHeight, height) {
		above, below := across[r.index[0]*width:], across[r.index[1]*width:]
		for x := range width {
			out = append(out, above[x]*(1-r.part)+below[x]*r.part)
		}
	}
	return out
}
