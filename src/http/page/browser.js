document.title = 'Exoix'
