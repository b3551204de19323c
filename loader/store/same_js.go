//go:build js && wasm

package store

import (
	"context"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/loader"
)

// converted16 ends the tags of files whose numbers were converted: they are other bytes
// than those of the source, and are not mixed with them.
const converted16 = " f16"

// bySHA256 begins a tag that is the hash of the whole file, as a hub tells it: two of them
// are of two files.
const bySHA256 = "sha256:"

// kept is a slice that is stored of a file that is not whole yet.
type kept struct {
	at, size int64
	total    int64 // of the file at its source; 0 where it was not written down
	sha256   string
}

// partial lists what is stored of a file's slices, by the tag that they came under.
func (s *Store) partial(ctx context.Context, file string) (map[string][]kept, error) {
	keys, err := s.keys(ctx, slices)
	if err != nil {
		return nil, err
	}
	list := map[string][]kept{}
	for _, k := range keys {
		if k.Index(0).String() != file {
			continue
		}
		v, err := s.get(ctx, slices, k)
		if err != nil {
			return nil, err
		}
		if v.Type() != js.TypeObject {
			continue // deleted since
		}
		x := kept{at: int64(k.Index(2).Float()), size: int64(v.Get("blob").Get("size").Float()), sha256: v.Get("sha256").String()}
		if total := v.Get("total"); total.Type() == js.TypeNumber {
			x.total = int64(total.Float())
		}
		list[k.Index(1).String()] = append(list[k.Index(1).String()], x)
	}
	return list, nil
}

// adopt chooses the slices that the download goes on with. Under a strong tag they are of
// the same bytes. Under any other, and where the tag is another one now, a slice at each
// end is fetched again and compared; if they differ, the download begins anew.
func (d *transfer) adopt(ctx context.Context) error {
	suffix := ""
	if d.plan.converted {
		suffix = converted16
	}
	d.etag = d.tag.Text + suffix
	stored, err := d.store.partial(ctx, d.file)
	if err != nil {
		return err
	}
	if d.tag.Strong && len(stored[d.etag]) > 0 {
		return nil
	}
	one, isRemote := d.in.(*intake)
	whole := isRemote && !one.ranged // it comes over the network again in any case
	for etag, list := range stored {
		if whole || strings.HasSuffix(etag, converted16) != d.plan.converted || strings.HasPrefix(etag, bySHA256) && strings.HasPrefix(d.etag, bySHA256) {
			continue
		}
		ends := d.ends(list)
		if len(ends) == 0 {
			continue
		}
		same, err := d.compare(ctx, ends)
		if err != nil {
			return err
		}
		if same {
			d.etag = etag
			return nil
		}
	}
	if len(stored) > 0 {
		d.options.Anew()
		// Nothing of what was stored is taken for what comes now.
		return d.store.drop(ctx, d.file, "", false)
	}
	return nil
}

// planned is a slice of the plan that is stored.
type planned struct {
	slice
	sha256 string
}

// ends are the first and the last of the stored slices that the plan has; none where the
// file had another size.
func (d *transfer) ends(list []kept) []planned {
	stored := map[int64]kept{}
	for _, x := range list {
		if x.total != 0 && x.total != d.in.length() {
			return nil
		}
		stored[x.at] = x
	}
	var found []planned
	for _, x := range d.plan.slices {
		if k, ok := stored[x.at]; ok && k.size == x.size {
			found = append(found, planned{x, k.sha256})
		}
	}
	if len(found) > 2 {
		found = []planned{found[0], found[len(found)-1]}
	}
	return found
}

// compare fetches slices again, and says whether they are what is stored.
func (d *transfer) compare(ctx context.Context, list []planned) (bool, error) {
	for _, x := range list {
		var bytes js.Value
		var err error
		none := func(int64) {}
		if one, ok := d.in.(*intake); ok {
			bytes, err = one.readChecked(ctx, x.from, x.to, none, func(loader.Answer) error { return nil })
		} else {
			bytes, err = d.in.read(ctx, x.from, x.to, none)
		}
		if err != nil {
			return false, err
		}
		bytes = converted(x.slice, bytes)
		sum, err := hash(ctx, bytes)
		free(bytes)
		if err != nil || sum != x.sha256 {
			return false, err
		}
	}
	return true, nil
}

// sameElsewhere is asked when an answer comes with another tag: servers behind one
// address may name the same bytes differently, or the file was changed.
func (d *transfer) sameElsewhere(ctx context.Context) error {
	d.checking.Lock()
	defer d.checking.Unlock()
	d.mu.Lock()
	var first []planned
	for _, x := range d.plan.slices {
		if p, ok := d.pieces[x.at]; ok {
			first = []planned{{x, p.SHA256}}
			break
		}
	}
	d.unsure = d.unsure || len(first) == 0
	d.mu.Unlock()
	same, err := d.compare(ctx, first)
	if err == nil && !same {
		err = loader.ErrChanged
	}
	return err
}

// checkEnds makes sure, where no strong tag does and no hash will, that the file did not
// change while it came: slices of both ends are fetched once more. One that came in a
// single answer needs no such look.
func (d *transfer) checkEnds(ctx context.Context) error {
	one, ok := d.in.(*intake)
	if !ok || !one.ranged || one.answers <= 1 || d.tag.Strong && !d.unsure || d.options.SHA256 != "" {
		return nil
	}
	var list []planned
	for i, x := range d.plan.slices {
		if i < 2 || i == len(d.plan.slices)-1 {
			list = append(list, planned{x, d.pieces[x.at].SHA256})
		}
	}
	same, err := d.compare(ctx, list)
	if err == nil && !same {
		err = loader.ErrChanged
	}
	return err
}
