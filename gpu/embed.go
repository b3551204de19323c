package gpu

// EmbedTokens returns tokens[ids[b, t]] + positions[t] as Act [B, T, C]. ids is U32 [B, T].
func EmbedTokens(p *Program, ids *Tensor, tokens, positions *Table) *Tensor {
	b, length := ids.Shape[0], ids.Shape[1]
	y := p.NewTensor("embeddings", Act, b, length, tokens.Channels)
	if length > positions.Rows {
		p.Fail("gpu: there are %d tokens, and positions for %d", length, positions.Rows)
		return y
	}
	if tokens.dtype != positions.dtype {
		p.Fail("gpu: the embeddings of tokens and of positions have different types")
		return y
	}
	quads := tokens.Channels / 4
	count := b * length * quads
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "embed_tokens", Label: "embeddings",
		Params: []Param{{"count", count}, {"stride", stride}, {"quads", quads}, {"length", length}, {"id_pitch", ids.Pitch()}},
		Bind:   []Binding{In("ids", ids), Read("tokens", tokens.packed), Read("positions", positions.packed), Out("y", y)},
		Groups: groups, Weights: positions.dtype,
		Cost: float64(8 * count),
	})
	return y
}

// EmbedPatches puts a class token before the patches, Act [B, h, w, C], and adds the
// positions. The result is Act [B, 1 + h·w, C].
func EmbedPatches(p *Program, patches *Tensor, class *Buffer, positions *Table) *Tensor {
	b, quads := patches.Shape[0], patches.Pitch()/4
	length := patches.Rows()/b + 1
	y := p.NewTensor("embeddings", Act, b, length, patches.Channels())
	if length != positions.Rows || patches.Channels() != positions.Channels {
		p.Fail("gpu: there are %d patches, and positions for %d", length-1, positions.Rows-1)
		return y
	}
	count := b * length * quads
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "embed_patches", Label: "embeddings",
		Params: []Param{{"count", count}, {"stride", stride}, {"quads", quads}, {"length", length}},
		Bind:   []Binding{In("patches", patches), Read("class_token", class), Read("positions", positions.packed), Out("y", y)},
		Groups: groups, Weights: positions.dtype,
		Cost: float64(8 * count),
	})
	return y
}
