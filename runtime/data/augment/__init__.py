"""What SSD's branch of Caffe does to pictures before they are cropped and scaled."""
