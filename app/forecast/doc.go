// Package forecast says how long a picture takes on a GPU before any is drawn there. It multiplies
// the work of a step and of a decode, as the planner lists it (work.json), with the pace at which the
// GPU does each kind of work, which gpu.Device.Paces measures in less than a second. Pictures that
// were drawn correct it.
//
//	c := forecast.Card{Paces: paces}
//	seconds := c.Picture(forecast.Of(s))
package forecast
