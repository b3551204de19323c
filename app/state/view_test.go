package state

import (
	"math"
	"testing"
)

// viewOf returns the view of a picture on a stage of 800 × 600.
func viewOf(width, height float64) *View {
	v := &View{}
	v.Resize(800, 600)
	v.Show(width, height)
	return v
}

// While an edge is dragged, what was there stays where it is, at its scale, and afterwards all of it is seen again, with space
// around it.
func TestViewOfEdges(t *testing.T) {
	v := viewOf(200, 100)
	v.Around = true
	wantPlaced(t, v, 120, 160, 2.8)
	v.Hold([2]float64{0, 0})
	v.Show(300, 140)
	v.Added([2]float64{100, 40})
	wantPlaced(t, v, 120-280, 160-112, 2.8)
	wantUnder(t, v, 120, 160, [2]float64{100, 40})
	v.Hold([2]float64{100, 40}) // again, at another edge
	v.Show(300, 160)
	wantUnder(t, v, 120, 160, [2]float64{100, 40})
	v.Release()
	wantPlaced(t, v, 120, 151, 560.0/300)
}

// under returns the place of the picture that is at a place of the stage.
func under(v *View, x, y float64) [2]float64 {
	left, top, scale := v.Placed()
	return [2]float64{(x - left) / scale, (y - top) / scale}
}

func wantPlaced(t *testing.T, v *View, x, y, scale float64) {
	t.Helper()
	if gx, gy, gs := v.Placed(); gx != x || gy != y || math.Abs(gs-scale) > 1e-9 {
		t.Errorf("it is at (%g, %g) with a scale of %g, want (%g, %g) and %g", gx, gy, gs, x, y, scale)
	}
}

func wantUnder(t *testing.T, v *View, x, y float64, want [2]float64) {
	t.Helper()
	// Placed rounds to whole pixels of the screen.
	if got := under(v, x, y); math.Hypot(got[0]-want[0], got[1]-want[1])*v.Scale() > 1.5 {
		t.Errorf("%v is under (%g, %g), want %v", got, x, y, want)
	}
}

func TestViewFits(t *testing.T) {
	t.Run("a small picture at twice its size, in the middle", func(t *testing.T) {
		wantPlaced(t, viewOf(128, 128), 272, 172, 2)
	})
	t.Run("a large picture within the stage", func(t *testing.T) {
		wantPlaced(t, viewOf(1600, 400), 0, 200, 0.5)
	})
	t.Run("what is painted on as large as the stage", func(t *testing.T) {
		v := viewOf(100, 100)
		v.Large = true
		wantPlaced(t, v, 100, 0, 6)
	})
	t.Run("also after the stage was resized", func(t *testing.T) {
		v := viewOf(1600, 400)
		v.Resize(400, 300)
		wantPlaced(t, v, 0, 100, 0.25)
		if v.Beyond() || !v.Fits() {
			t.Error("it does not fit")
		}
	})
	t.Run("a stage without a size does no harm", func(t *testing.T) {
		v := &View{}
		v.ZoomAt(2, 10, 10)
		v.Key("-")
		if x, y, scale := v.Placed(); math.IsNaN(x+y+scale) || scale <= 0 {
			t.Errorf("it is at (%g, %g) with a scale of %g", x, y, scale)
		}
	})
}

func TestViewZooms(t *testing.T) {
	t.Run("about the pointer", func(t *testing.T) {
		v := viewOf(512, 512)
		at := under(v, 500, 200)
		for range 3 {
			v.Wheel(-200, false, 500, 200)
			wantUnder(t, v, 500, 200, at)
		}
		if want := 600.0 / 512 * math.Exp(1.5); math.Abs(v.Scale()-want) > 1e-9 {
			t.Errorf("the scale is %g, want %g", v.Scale(), want)
		}
	})
	t.Run("back to where it fits, and stays there", func(t *testing.T) {
		v := viewOf(512, 512)
		v.Key("+")
		v.Key("-")
		if !v.Fits() {
			t.Errorf("the scale is %g, and fits at %g", v.Scale(), v.fit())
		}
	})
	t.Run("on past the size that fits", func(t *testing.T) {
		v := viewOf(128, 128)
		for range 10 {
			v.ZoomAt(0.99, 400, 300)
		}
		if v.Fits() || v.Scale() > 1.9 {
			t.Errorf("small steps do not leave the size that fits: the scale is %g", v.Scale())
		}
	})
	t.Run("within bounds", func(t *testing.T) {
		v := viewOf(512, 512)
		v.ZoomAt(1e6, 0, 0)
		if v.Scale() != maxZoom {
			t.Errorf("the largest scale is %g", v.Scale())
		}
		v.ZoomAt(1e-6, 0, 0)
		if v.Scale() != 1 {
			t.Errorf("the least scale is %g", v.Scale())
		}
		big := viewOf(4096, 4096)
		big.ZoomAt(1e-6, 0, 0)
		if !big.Fits() {
			t.Errorf("a large picture's least scale is %g", big.Scale())
		}
	})
	t.Run("1 shows its own pixels, 0 all of it", func(t *testing.T) {
		v := viewOf(1600, 1200)
		v.Key("1")
		wantPlaced(t, v, -400, -300, 1)
		v.Key("0")
		wantPlaced(t, v, 0, 0, 0.5)
	})
	t.Run("twice as large and back by one press", func(t *testing.T) {
		v := viewOf(1024, 512)
		at := under(v, 100, 200)
		v.Toggle(100, 200)
		wantUnder(t, v, 100, 200, at)
		if v.Toggle(0, 0); !v.Fits() {
			t.Errorf("the scale is %g", v.Scale())
		}
	})
	t.Run("with two fingers, under which the same stays", func(t *testing.T) {
		v := viewOf(1024, 1024)
		a, b := under(v, 350, 250), under(v, 450, 350)
		v.Pinch([2][2]float64{{350, 250}, {450, 350}}, [2][2]float64{{300, 200}, {500, 400}})
		wantUnder(t, v, 300, 200, a)
		wantUnder(t, v, 500, 400, b)
		v.Pinch([2][2]float64{{300, 200}, {500, 400}}, [2][2]float64{{320, 210}, {520, 410}})
		wantUnder(t, v, 320, 210, a)
	})
}

func TestViewMoves(t *testing.T) {
	v := viewOf(800, 600)
	if v.Key("ArrowLeft") {
		t.Error("an arrow key was taken while nothing is beyond the edges")
	}
	v.ZoomAt(2, 400, 300)
	wantPlaced(t, v, -400, -300, 2)
	v.Pan(-100, 50)
	wantPlaced(t, v, -500, -250, 2)
	v.Pan(1e6, -1e6)
	wantPlaced(t, v, 0, -600, 2)
	v.Key("ArrowRight")
	wantPlaced(t, v, -100, -600, 2)
	v.Reveal([2]float64{0.9, 0.1})
	if at := under(v, 0, 0); at[0] > 720 || at[1] > 60 {
		t.Errorf("the stage begins at %v", at)
	}
	// A picture of the same size is seen as the one before was; another one fits.
	v.Show(800, 600)
	if v.Fits() {
		t.Error("a picture of the same size is not seen as the one before")
	}
	v.Show(600, 800)
	if !v.Fits() {
		t.Error("a picture of another size does not fit")
	}
}

func TestViewSeen(t *testing.T) {
	v := viewOf(300, 300)
	if left, right := v.Seen(); left != 100 || right != 700 {
		t.Errorf("from %g to %g", left, right)
	}
	v.ZoomAt(3, 400, 300)
	if left, right := v.Seen(); left != 0 || right != 800 {
		t.Errorf("enlarged: from %g to %g", left, right)
	}
	if v.Percent() != "600 %" {
		t.Error(v.Percent())
	}
}

func TestSwipe(t *testing.T) {
	for _, c := range []struct {
		x, y float64
		want int
	}{{-120, 10, 1}, {120, -10, -1}, {-30, 0, 0}, {100, 80, 0}, {0, 200, 0}} {
		if got := Swipe(c.x, c.y); got != c.want {
			t.Errorf("Swipe(%v, %v) = %d, not %d", c.x, c.y, got, c.want)
		}
	}
}
