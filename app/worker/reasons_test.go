package worker

import (
	"errors"
	"fmt"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
	"github.com/imprompt/imprompt/loader/store/database"
	"github.com/imprompt/imprompt/model/imageproc/pose"
)

// The page is told for what reason something failed, however deep in an error that stands.
func TestReasons(t *testing.T) {
	const address = "https://example.com/model.safetensors"
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("no"), ""},
		{store.ErrPermission, protocol.Permission},
		{&gpu.OpenError{Kind: protocol.NoAdapter}, protocol.NoAdapter},
		{&gpu.OutOfMemoryError{}, protocol.Memory},
		{store.ErrFull, protocol.Full},
		{store.ErrTaken, protocol.Taken},
		{store.Damaged("a file", "it is cut off"), protocol.Damaged},
		{database.ErrNewer, protocol.Outdated},
		{loader.Answer{Status: 401}.Check(address), protocol.Refused},
		{loader.Answer{Status: 503}.Check(address), protocol.Unreachable},
		{pose.ErrNobody, protocol.WrongPicture},
	} {
		f := failed(fmt.Errorf("guide 1: %w", recordError{"a record", c.err}))
		if f.Reason != c.want || f.Record != "a record" || f.Message != "guide 1: "+c.err.Error() {
			t.Errorf("%v: %+v, want %s", c.err, f, c.want)
		}
	}
}
