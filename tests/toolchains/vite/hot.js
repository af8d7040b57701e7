// A change of the app's script is taken over without a reload.
import './app.js';

import.meta.hot?.accept('./app.js');
