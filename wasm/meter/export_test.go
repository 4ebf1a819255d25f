package meter

// Corpus returns the hostile modules by name.
func Corpus() map[string]string {
	modules := make(map[string]string)
	for _, h := range corpus() {
		modules[h.name] = h.module
	}
	return modules
}
