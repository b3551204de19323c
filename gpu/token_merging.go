package gpu

// Token merging (ToMe; Bolya and Hoffman 2023, "Token Merging for Fast Stable Diffusion", arXiv 2303.17604) lets
// similar tokens of a picture share one place in an attention. The computation is that of the package tomesd
// (0.1.3): bipartite_soft_matching_random2d with sx = sy = 2, and without random numbers, as AUTOMATIC1111's web UI
// has it.

// TokenMatching says which tokens of a picture are merged into which. The entries of a batch are matched apart.
type TokenMatching struct {
	batch, h, w int
	sources     int // of an entry; the other tokens are destinations
	merged      int // how many sources are merged, in every entry

	node, rank, order, next *Tensor // see token_match.wgsl and token_order.wgsl
}

// MatchTokens finds, for a share of the tokens of x, Act [B, H, W, C], the tokens that they are merged into. The ratio
// is at most 0.75, because one token in every 2 × 2 square takes in others. Of equally similar tokens the first are
// merged. It returns nil if there is nothing to merge.
func MatchTokens(p *Program, x *Tensor, ratio float64, label string) *TokenMatching {
	if len(x.Shape) != 4 || x.Channels()%4 != 0 {
		p.Fail("gpu: %s: the tokens to match are not [B, H, W, C], with a multiple of 4 channels, but %s", label, x)
		return nil
	}
	m := &TokenMatching{batch: x.Shape[0], h: x.Shape[1], w: x.Shape[2]}
	tokens := m.h * m.w
	destinations := (m.h / 2) * (m.w / 2)
	m.sources = tokens - destinations
	m.merged = min(int(float64(tokens)*ratio), m.sources)
	if m.merged <= 0 || destinations == 0 {
		return nil
	}
	quads := x.Pitch() / 4
	inverse := p.NewTensor(label+".norms", F32, m.batch*tokens)
	const lanes, rowsEach = 16, 4 // of a workgroup of 64 threads
	groups, stride := grid1D(p.Device, (x.Rows()+rowsEach-1)/rowsEach, 1)
	p.Dispatch(Dispatch{
		Kernel: "token_norms", Label: label,
		Consts: []Const{{"LANES", lanes}, {"ROWS", rowsEach}},
		Params: []Param{{"rows", x.Rows()}, {"quads", quads}, {"stride", stride}, {"lanes", lanes}},
		Bind:   []Binding{In("x", x), Out("inverse", inverse)},
		Groups: groups,
		Cost:   float64(2 * x.Rows() * x.Pitch()),
	})
	const depth = 4
	score := p.NewTensor(label+".score", F32, m.batch*m.sources)
	m.node = p.NewTensor(label+".node", U32, m.batch*m.sources)
	p.Dispatch(Dispatch{
		Kernel: "token_match", Label: label,
		Consts: []Const{{"DEPTH", depth}},
		Params: []Param{{"height", m.h}, {"width", m.w}, {"sources", m.sources}, {"destinations", destinations}, {"quads", quads}, {"depth", depth}},
		Bind:   []Binding{In("x", x), In("inverse", inverse), Out("score", score), Out("node", m.node)},
		Groups: [3]int{(m.sources + 31) / 32, m.batch},
		Cost:   2 * float64(m.batch*m.sources*destinations) * float64(x.Channels()),
	})
	m.rank = p.NewTensor(label+".rank", U32, m.batch*m.sources)
	m.order = p.NewTensor(label+".order", U32, m.batch*m.sources)
	m.next = p.NewTensor(label+".next", U32, m.batch*tokens)
	p.Dispatch(Dispatch{
		Kernel: "token_order", Label: label,
		Params: []Param{{"sources", m.sources}, {"destinations", destinations}},
		Bind:   []Binding{In("score", score), In("node", m.node), Out("rank", m.rank), Out("order", m.order), Out("next", m.next)},
		Groups: [3]int{(tokens + 63) / 64, m.batch},
		Cost:   float64(m.batch*tokens) * float64(m.sources),
	})
	return m
}

// tokens is how many tokens an entry has after merging.
func (m *TokenMatching) tokens() int { return m.h*m.w - m.merged }

// Merge makes fewer tokens of x, Act [B, H, W, C]: a token that others are merged into becomes the mean of all of them.
// The result is Act [B, T, C].
func (m *TokenMatching) Merge(p *Program, x *Tensor, label string) *Tensor {
	y := p.NewTensor(label, Act, m.batch, m.tokens(), x.Channels())
	if x.Rows() != m.batch*m.h*m.w || x.Channels()%4 != 0 {
		p.Fail("gpu: %s: %s does not have the %d entries of %d × %d tokens that were matched", label, x, m.batch, m.h, m.w)
		return y
	}
	m.dispatch(p, "token_merge", y, label, In("x", x), In("rank", m.rank), In("order", m.order), In("next", m.next))
	return y
}

// Unmerge gives every token what was computed for the one that it was merged into, and adds the residual.
//
//	x: Act [B, T, C], as Merge makes it; residual and result: Act [B, H, W, C]
func (m *TokenMatching) Unmerge(p *Program, x, residual *Tensor, label string) *Tensor {
	y := p.NewTensor(label, Act, m.batch, m.h, m.w, x.Channels())
	if x.Rows() != m.batch*m.tokens() || residual.Rows() != y.Rows() || residual.Channels() != x.Channels() || x.Channels()%4 != 0 {
		p.Fail("gpu: %s: %s and the residual %s do not fit the %d entries of %d × %d tokens that were matched", label, x, residual, m.batch, m.h, m.w)
		return y
	}
	m.dispatch(p, "token_unmerge", y, label, In("x", x), In("residual", residual), In("rank", m.rank), In("node", m.node))
	return y
}

// dispatch records a kernel in which a thread computes a vec4 of y.
func (m *TokenMatching) dispatch(p *Program, kernel string, y *Tensor, label string, bind ...Binding) {
	count := y.Rows() * y.Pitch() / 4
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: kernel, Label: label,
		Params: []Param{{"count", count}, {"stride", stride}, {"height", m.h}, {"width", m.w}, {"sources", m.sources}, {"merged", m.merged}, {"quads", y.Pitch() / 4}},
		Bind:   append(bind, Out("y", y)),
		Groups: groups,
		Cost:   float64(8 * count),
	})
}
