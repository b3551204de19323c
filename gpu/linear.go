package gpu

// LinearOptions are the options of Linear.
type LinearOptions struct {
	Label      string
	Table      *Tensor // F32 [steps, Out]: the step's row is added to every row before the activation; or nil
	Lambda     *Tensor // F32 [steps, Out]: the sum and its bias are multiplied by the step's row; or nil. It excludes Table
	Activation Activation
	Residual   *Tensor  // Act, added after the activation; or nil
	Output     DType    // Act, or F32
	tile       convTile // for tests: a GPU's kernel with this tile
}

// Linear computes act(x·Wᵀ + bias + table row) + residual over the innermost dimension of x, Act.
func Linear(p *Program, x *Tensor, w *ConvWeight, o LinearOptions) *Tensor {
	shape := append([]int(nil), x.Shape...)
	shape[len(shape)-1] = w.Out
	y := p.NewTensor(o.Label, o.Output, shape...)
	LinearInto(p, x, y, w, o)
	return y
}

// LinearInto is Linear with its result in y.
func LinearInto(p *Program, x, y *Tensor, w *ConvWeight, o LinearOptions) {
	rows := x.Rows()
	dispatchConv(p, x, y, w, Conv2dOptions{Label: o.Label, Table: o.Table, Lambda: o.Lambda, Activation: o.Activation, Residual: o.Residual, Output: o.Output, tile: o.tile},
		convShape{m: rows, hIn: 1, wIn: rows, hUp: 1, wUp: rows, hOut: 1, wOut: rows, stride: 1, phases: 1})
}
