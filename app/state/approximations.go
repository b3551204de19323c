package state

// What draws faster, and not quite the same picture. All of it is off by default.

// SetGuidanceStart sets from which fraction of the steps on guidance works. It ends no earlier than it begins.
func (c *Composer) SetGuidanceStart(v float64) {
	c.Settings.GuidanceStart = v
	if c.Settings.GuidanceStop != 0 {
		c.Settings.GuidanceStop = max(c.Settings.GuidanceStop, v)
	}
}

// SetGuidanceStop sets until which fraction of the steps guidance works. It begins no later than it ends.
func (c *Composer) SetGuidanceStop(v float64) {
	c.Settings.GuidanceStart, c.Settings.GuidanceStop = min(c.Settings.GuidanceStart, v), v
	if v == 1 {
		c.Settings.GuidanceStop = 0 // the default, which recipes leave out
	}
}

// SetCacheInterval makes one in n steps a whole one (DeepCache).
func (c *Composer) SetCacheInterval(n int) {
	c.Settings.CacheInterval = n
	if n == 1 {
		c.Settings.CacheInterval = 0 // the default, which recipes leave out
	}
}
