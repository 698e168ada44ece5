"""How data parallel training scales, predicted; and the same model beside what gloo takes here."""
