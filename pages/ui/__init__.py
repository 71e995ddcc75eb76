"""What pages share: frame, state, cache, images, controls, jobs and rendering."""
