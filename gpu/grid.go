package gpu

// grid1D spreads n threads over workgroups of size threads, in two dimensions where
// one does not reach. A kernel's index is x + y·stride.
func grid1D(d *Device, n, size int) (groups [3]int, stride int) {
	count := (n + size - 1) / size
	x := min(count, d.Limits.MaxComputeWorkgroupsPerDimension)
	return [3]int{x, (count + x - 1) / x, 1}, x * size
}
