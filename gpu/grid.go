package gpu

// grid1D distributes n threads over workgroups of size threads, in two dimensions if there
// are too many workgroups for one. A thread's index is x + y·stride.
func grid1D(d *Device, n, size int) (groups [3]int, stride int) {
	count := (n + size - 1) / size
	x := min(count, d.Limits.MaxComputeWorkgroupsPerDimension)
	return [3]int{x, (count + x - 1) / x, 1}, x * size
}
