"""Files that say what is in a picture, one a picture: VOC's XML, COCO's JSON, lines of text."""
