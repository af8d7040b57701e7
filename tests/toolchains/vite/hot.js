// Accepts changes of the app's script without a reload of the page.
import './app.js';

import.meta.hot?.accept('./app.js');
