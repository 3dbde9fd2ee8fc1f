"""An explanation as one page of HTML, to look through in a browser."""

from attention_zoo.explaining.page.content import content as content
from attention_zoo.explaining.page.writing import write_page as write_page
