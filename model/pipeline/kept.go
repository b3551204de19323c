package pipeline

import (
	"context"
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/scheduler"
)

// What a run prepared is kept until the next one: if that differs only in its seed, its
// number of pictures or its start picture, its first step starts at once, with the same
// programs, bind groups and conditioning.

// key describes everything that a run's programs and conditioning depend on. It is "" where
// they cannot be kept: if a guide does not say what it depends on, or if preparing the start
// picture may unload networks.
func (r *run) key() string {
	networks := r.programs.networks()
	if r.kind() != scheduler.TextToImage && r.req.InitLatents == nil {
		networks = append(networks, r.VAE.Encoder)
	}
	var s strings.Builder
	for _, n := range networks {
		version := r.Memory.Version(n)
		if version == "" {
			return ""
		}
		fmt.Fprintf(&s, "%p %s ", n, version)
	}
	if v := r.Preview; v != nil {
		fmt.Fprintf(&s, "%p %s ", v, r.Memory.Version(v.Decoder))
	}
	fmt.Fprint(&s, r.wordsKey(), r.h, r.w, r.batch, len(r.branches), r.kind(), r.req.GuidanceScale, r.guided, r.req.CacheInterval, r.req.TomeRatio, r.req.VAETiling, r.req.LatentsOnly, *r.schedule, r.Device.Kernels())
	run := r.guidesRun()
	for _, g := range r.req.Guides {
		repeatable, ok := g.(guides.Repeatable)
		if !ok {
			return ""
		}
		s.WriteString(repeatable.Key(run))
	}
	return s.String()
}

// prepareAll makes everything that the run's pictures share.
func (r *run) prepareAll(ctx context.Context) error {
	r.Precompile(ctx)
	if err := r.chooseTiling(ctx); err != nil {
		return err
	}
	// The encoders run first, one after another: when the UNet, the largest network, is loaded,
	// they are no longer needed.
	if err := r.encode(ctx); err != nil {
		return err
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if err := r.draw(ctx); err != nil {
		return err
	}
	if err := r.condition(ctx); err != nil {
		return err
	}
	r.progress(Progress{Stage: StageCompile, Images: r.req.NumImages, Steps: len(r.schedule.Steps)})
	return r.programs.build(ctx)
}

// takeOver makes the run go on with what the kept run prepared, if that is the same.
func (r *run) takeOver() (same bool) {
	old := r.kept
	r.kept = nil
	if old == nil {
		return false
	}
	if key := r.key(); key == "" || key != old.preparedAs {
		old.release()
		return false
	}
	r.branches, r.programs, r.saturation, r.tiled = old.branches, old.programs, old.saturation, old.tiled
	r.releases, r.programs.run = old.releases, r
	old.over = true
	return true
}

// keep leaves what the run prepared to the next one, or releases it.
func (r *run) keep(succeeded bool) {
	if succeeded && !r.programs.apart {
		r.preparedAs = r.key()
	}
	if r.preparedAs == "" {
		r.release()
		return
	}
	r.Pipeline.kept = r
	r.req, r.progress = &Request{Guides: r.req.Guides}, nil // the pictures are not needed any more
	r.initial, r.noises, r.noise0, r.inpaint, r.extra, r.momentsOf = nil, nil, nil, nil, nil, nil
}

// Forget frees what is kept from the last run to the next one, apart from Encodings.
func (p *Pipeline) Forget() {
	if p.kept != nil {
		p.kept.release()
		p.kept = nil
	}
}
