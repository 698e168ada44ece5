"""Objects in pictures: which net finds them how, their names, boxes drawn over pictures."""
