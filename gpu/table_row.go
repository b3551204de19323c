package gpu

// TableRow is the step's row of a table, F32 [steps, n], as activations of a shape that has n
// numbers in each entry of its batch. All entries are the same.
func TableRow(p *Program, table *Tensor, label string, shape ...int) *Tensor {
	y := p.NewTensor(label, Act, shape...)
	row := table.Pitch() / 4
	count := y.Rows() * y.Pitch() / 4
	if y.Pitch() != y.Channels() || count != row*shape[0] || table.Pitch() != table.Channels() {
		p.Fail("gpu: %s: a row of %s does not fit %s", label, table, y)
		return y
	}
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "table_row", Label: label,
		Params: []Param{{"count", count}, {"stride", stride}, {"row", row}},
		Bind:   []Binding{In("table", table), In("step", p.Step()), Out("y", y)},
		Groups: groups,
		Cost:   float64(4 * count),
	})
	return y
}
