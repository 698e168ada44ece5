"""What imports lead to: guarded before anything else runs, and ``caffe`` as another name."""
