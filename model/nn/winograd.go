package nn

import "github.com/imprompt/imprompt/gpu"

// Weights that are transformed for Winograd's algorithm (gpu/winograd.go) take more memory. A
// network has them where the device's kernels ask for them, and, in a Memory, where they fit the
// budget beside everything that a picture needs. Otherwise it has the others. The two do not exist
// beside each other: when the choice changes, the layers are uploaded again.

// transform asks for transformed weights in those tasks whose layers have a use for them, and
// returns how many bytes more they take.
func transform(d *gpu.Device, tasks []task, as gpu.WeightDType) (extra int64) {
	for _, t := range tasks {
		if l, ok := t.layer.(*Conv2d); ok {
			m, bytes := l.tile(d, as)
			t.params[0].Winograd = m
			extra += bytes
		}
	}
	return extra
}

// transformed reports whether a layer's weights on the GPU are in another form than the task asks for.
func (t task) transformed() bool {
	l, ok := t.layer.(*Conv2d)
	return ok && l.weights.Winograd() != t.params[0].Winograd
}

// decide decides whether a network may have transformed weights, beside the networks that it is
// needed with. A network that had to do without keeps the others until it is unloaded, so that it is
// not uploaded again and again.
func (m *Memory) decide(r *resident, beside []Network) {
	if !r.loaded {
		r.bytes -= r.extra
		r.extra, r.plain, r.programs = 0, false, 0
	}
	if r.plain || m.Device.Winograd() == 0 || r.loaded && r.tile > 0 && m.Programs <= r.programs {
		return
	}
	_, extra, err := r.tasks(m.Device)
	if err != nil || extra == 0 {
		return // Add has seen that it fits
	}
	r.programs = m.Programs
	r.plain = !m.Fits(extra-r.extra+m.Programs, beside...)
	if !r.loaded && !r.plain {
		r.bytes += extra
		r.extra = extra
	}
}

// wants is the size of the tiles that a network's weights should be transformed for, or 0.
func (r *resident) wants(d *gpu.Device) int {
	if r.plain {
		return 0
	}
	return d.Winograd()
}

// tasks are the network's layers, with the changes and in the form that are asked for, and how many
// bytes more they take for that form.
func (r *resident) tasks(d *gpu.Device) (tasks []task, extra int64, err error) {
	tasks, _, _, err = match(r.network, r.checkpoint, r.weights, r.changes)
	if err == nil && !r.plain {
		extra = transform(d, tasks, r.weights)
	}
	return tasks, extra, err
}
