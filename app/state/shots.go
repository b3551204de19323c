package state

// Shot is a place for a picture that was asked for.
type Shot struct {
	Label   string
	Result  *Result // nil until it is there
	Skipped bool    // it will not come
}

// Says is the label as it is drawn.
func (s *Shot) Says() string { return LabelText(s.Label) }

// Shots are the places of one request's pictures, in their order.
type Shots []*Shot

// Left returns how many pictures are still to come, the one under way included.
func (l Shots) Left() (n int) {
	for _, s := range l {
		if s.Result == nil && !s.Skipped {
			n++
		}
	}
	return n
}

// Any reports whether any picture is there.
func (l Shots) Any() bool {
	for _, s := range l {
		if s.Result != nil {
			return true
		}
	}
	return false
}

// pass marks those that have not come as skipped.
func (l Shots) pass() {
	for _, s := range l {
		s.Skipped = s.Result == nil
	}
}

// remove takes a result out of its shot, which it returns; nil if none has it.
func (l Shots) remove(r *Result) *Shot {
	for _, s := range l {
		if s.Result == r {
			s.Result, s.Skipped = nil, true
			return s
		}
	}
	return nil
}
