package random

// mt19937 is Matsumoto and Nishimura's Mersenne Twister with a state of 624
// words, seeded as at::mt19937 (ATen/core/MT19937RNGEngine.h) seeds it.
type mt19937 struct {
	state [stateSize]uint32
	next  int // index of the next word to temper; stateSize when a new block is due
}

const (
	stateSize = 624
	shiftSize = 397
	matrixA   = 0x9908b0df
)

func (m *mt19937) seed(s uint32) {
	m.state[0] = s
	for i := 1; i < stateSize; i++ {
		previous := m.state[i-1]
		m.state[i] = 1812433253*(previous^(previous>>30)) + uint32(i)
	}
	m.next = stateSize
}

// uint32 returns the next 32 random bits.
func (m *mt19937) uint32() uint32 {
	if m.next == stateSize {
		m.refill()
	}
	y := m.state[m.next]
	m.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// uint64 returns 64 random bits. The first draw is the upper half
// (at::CPUGeneratorImpl::random64).
func (m *mt19937) uint64() uint64 {
	high := uint64(m.uint32())
	return high<<32 | uint64(m.uint32())
}

func (m *mt19937) refill() {
	for i := range m.state {
		y := m.state[i]&0x80000000 | m.state[(i+1)%stateSize]&0x7fffffff
		x := m.state[(i+shiftSize)%stateSize] ^ y>>1
		if y&1 != 0 {
			x ^= matrixA
		}
		m.state[i] = x
	}
	m.next = 0
}
