package scheduler

import "math"

// round rounds halves to even, as numpy does.
func round(x float64) float64 { return math.RoundToEven(x) }

// integerSteps are the timesteps of DDIM and PNDM, the largest first.
func (p params) integerSteps(n int) []int {
	ts := make([]int, n)
	for i := range ts {
		switch p.spacing {
		case "linspace":
			if n > 1 {
				ts[n-1-i] = int(round(float64(p.train-1) / float64(n-1) * float64(i)))
			}
		case "leading":
			ts[n-1-i] = i*(p.train/n) + p.offset
		}
	}
	if p.spacing == "trailing" {
		ts = ts[:0]
		for _, t := range trailing(p.train, float64(p.train), n) {
			ts = append(ts, int(t))
		}
	}
	return ts
}

// trailing is np.arange(last, 0, -train/n).round() - 1. For some n, such as 61 of 1000, numpy's
// rounding gives one more timestep, -1, for which diffusers takes the noisiest alpha of the table.
// That timestep is left out here.
func trailing(train int, last float64, n int) []float64 {
	var ts []float64
	// numpy's step is the rounded difference of the first two values.
	delta := (last - float64(train)/float64(n)) - last
	for i := 0; ; i++ {
		t := round(last + float64(float64(i)*delta))
		if t < 1 {
			return ts
		}
		ts = append(ts, t-1)
	}
}

// solverSteps are the timesteps of DPM-Solver and UniPC: n+1 timesteps are spread from 0 to last,
// and 0 is left out.
func (p params) solverSteps(n, last int) []float64 {
	if p.spacing == "trailing" {
		return trailing(p.train, float64(last), n)
	}
	ts := make([]float64, n)
	for i := range ts {
		if p.spacing == "linspace" {
			ts[n-1-i] = round(float64(last-1) / float64(n) * float64(i+1))
		} else {
			ts[n-1-i] = float64((i+1)*(last/(n+1)) + p.offset)
		}
	}
	return ts
}

// eulerSteps are Euler's timesteps: float32, not rounded to whole numbers.
func (p params) eulerSteps(n int) []float64 {
	if p.spacing == "trailing" {
		return trailing(p.train, float64(p.train), n)
	}
	ts := make([]float64, n)
	for i := range ts {
		if p.spacing == "leading" {
			ts[n-1-i] = float64(i*(p.train/n) + p.offset)
		} else if n > 1 {
			ts[n-1-i] = float64(float32(float64(p.train-1) / float64(n-1) * float64(i)))
		}
	}
	return ts
}
